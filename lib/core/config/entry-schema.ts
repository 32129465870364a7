/** The schema of single entries: whole documents are checked entry by entry, so that it goes in slices. */
import { Compile } from 'typebox/schema';
import { certificateSchema } from './certificate-schema.ts';
import { clusterSchema } from './cluster-schema.ts';
import { configurationSchema } from './configuration-schema.ts';
import { consumerSchema } from './consumer-schema.ts';
import { issuerSchema } from './issuer-schema.ts';
import { COLLECTIONS, idPatternOf, type Kind } from './model.ts';
import { childPointer } from './problem.ts';
import type { ProblemList } from './problem-list.ts';
import { routeSchema } from './route-schema.ts';
import { matchesPattern, type SchemaNode } from './schema-node.ts';
import { reportSchemaProblems } from './schema-problems.ts';

const VALIDATORS = {
  cluster: Compile(clusterSchema),
  issuer: Compile(issuerSchema),
  consumer: Compile(consumerSchema),
  certificate: Compile(certificateSchema),
  route: Compile(routeSchema),
};

/** TypeBox types say what a schema means; the schema itself is plain JSON Schema. */
const documentSchema = configurationSchema as unknown as SchemaNode;

/** Where an entry is in a document. */
export function entryPointer(kind: Kind, id: string): string {
  return childPointer(`/${COLLECTIONS[kind]}`, id);
}

/** Adds what of an id and a value does not fit the schema. Returns whether all of it fits. */
export function checkEntrySchema(kind: Kind, id: string, value: unknown, problems: ProblemList): boolean {
  const validator = VALIDATORS[kind];
  if (matchesPattern(idPatternOf(kind), id) && validator.Check(value)) {
    return true;
  }
  checkDocumentSchema({ [COLLECTIONS[kind]]: { [id]: value } }, problems);
  if (problems.isEmpty) {
    // The compiled schema decides: what it refuses is refused, even if the words for it were missing.
    const [, errors] = validator.Errors(value);
    for (const { instancePath, message } of errors) {
      problems.add(entryPointer(kind, id) + instancePath, message);
    }
  }
  return false;
}

/** Adds everything that does not fit the schema of documents, in one go. */
export function checkDocumentSchema(document: unknown, problems: ProblemList): void {
  reportSchemaProblems(documentSchema, document, '', problems);
}
