import { describeDifference } from '../../core/config/describe-difference.ts';
import { diffConfigurations } from '../../core/config/difference.ts';
import { type ValidationResult, validateDocument } from '../../core/config/validate.ts';
import type { ApiClient } from './api-client.ts';
import type { Comparison } from './change-text.ts';
import { InvalidDocumentError } from './invalid-document.ts';
import { readDocument } from './read-document.ts';

/**
 * How a file differs from what a gateway serves. It is found out here and not in the gateway: so it needs no
 * right to write, and also works where nobody has one.
 * @throws InvalidDocumentError, and what `readDocument` and the client throw
 */
export async function compareFile(client: ApiClient, file: string): Promise<Comparison> {
  const document = await readDocument(file);
  const wanted = validated(file, validateDocument(document));
  const { body, revision } = await client.call('GET', 'config');
  const held = validated('the configuration of the gateway', validateDocument(body));
  const operations = diffConfigurations(held.configuration, wanted.configuration);
  return {
    revision: Number(revision),
    difference: describeDifference(held.configuration, operations),
    warnings: wanted.warnings,
  };
}

type Validated = ValidationResult & {
  readonly configuration: NonNullable<ValidationResult['configuration']>;
};

function validated(name: string, result: ValidationResult): Validated {
  const { configuration, problems } = result;
  if (configuration === null) throw new InvalidDocumentError(name, problems);
  return { ...result, configuration };
}
