import { configurationSchema } from './configuration-schema.ts';

const LATER_SECTION = {
  type: 'object',
  maxProperties: 0,
  description: 'Not supported yet: leave it out, or empty',
};

/**
 * The JSON Schema (draft 2020-12) of the configuration document, as plain JSON and a new object each time.
 * For editors and other tools: it holds what a schema can express, and validation checks more.
 */
export function publishedSchema(): object {
  const schema: { readonly properties: object } = JSON.parse(JSON.stringify(configurationSchema));
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'urn:fengling-gateway:configuration',
    title: 'Configuration of Fengling Gateway',
    ...schema,
    properties: { ...schema.properties, issuers: LATER_SECTION, certificates: LATER_SECTION },
  };
}
