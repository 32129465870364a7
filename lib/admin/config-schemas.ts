/** The configuration's own schema, in parts that the OpenAPI document can name. */
import Type from 'typebox';
import { configurationSchema } from '../core/config/configuration-schema.ts';
import { COLLECTIONS, idPatternOf, KINDS, type Kind } from '../core/config/model.ts';
import { closed, refer } from './shared-schemas.ts';

interface PlainSchema {
  readonly properties: Readonly<Record<string, SectionSchema>>;
  readonly [keyword: string]: unknown;
}

interface SectionSchema {
  readonly patternProperties: Readonly<Record<string, object>>;
  readonly [keyword: string]: unknown;
}

/** A copy without what TypeBox hides in its schemas. */
function plainConfigurationSchema(): PlainSchema {
  return JSON.parse(JSON.stringify(configurationSchema)) as PlainSchema;
}

/** Cluster for the kind `cluster`, and so on. */
export function entrySchemaName(kind: Kind): string {
  return `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
}

/** Clusters for the kind `cluster`, and so on: all entries of a kind, by id. */
export function collectionSchemaName(kind: Kind): string {
  const collection = COLLECTIONS[kind];
  return `${collection.charAt(0).toUpperCase()}${collection.slice(1)}`;
}

function entrySchema(kind: Kind): object {
  const section = plainConfigurationSchema().properties[COLLECTIONS[kind]];
  const [schema] = Object.values(section?.patternProperties ?? {});
  return { ...schema, $id: entrySchemaName(kind) };
}

function collectionSchema(kind: Kind): object {
  const section = plainConfigurationSchema().properties[COLLECTIONS[kind]];
  const patternProperties = { [idPatternOf(kind)]: refer(entrySchemaName(kind)) };
  // OpenAPI tools drop the pattern from patternProperties.
  const propertyNames = { pattern: idPatternOf(kind) };
  return { ...section, $id: collectionSchemaName(kind), patternProperties, propertyNames };
}

function documentSchema(): object {
  const { properties, ...rest } = plainConfigurationSchema();
  const sections = KINDS.map((kind) => [COLLECTIONS[kind], refer(collectionSchemaName(kind))]);
  return { ...rest, $id: 'Configuration', properties: { ...properties, ...Object.fromEntries(sections) } };
}

function entryNameSchema(kind: Kind) {
  return { kind: Type.Literal(kind), id: Type.String({ pattern: idPatternOf(kind) }) };
}

function operationSchema(): object {
  const puts = KINDS.map((kind) =>
    Type.Object(
      { op: Type.Literal('put'), ...entryNameSchema(kind), value: refer(entrySchemaName(kind)) },
      closed,
    ),
  );
  const deletions = KINDS.map((kind) =>
    Type.Object({ op: Type.Literal('delete'), ...entryNameSchema(kind) }, closed),
  );
  return { anyOf: [...puts, ...deletions], $id: 'Operation', description: 'Puts or deletes one entry' };
}

/** In an order in which none refers to a later one. */
export const CONFIG_SCHEMAS: readonly object[] = [
  ...KINDS.map(entrySchema),
  ...KINDS.map(collectionSchema),
  documentSchema(),
  operationSchema(),
];

/** The part of a path that names an entry. */
export function entryParamsSchema(kind: Kind) {
  const id = Type.String({ pattern: idPatternOf(kind), description: 'Id of the entry' });
  return Type.Object({ id }, closed);
}
