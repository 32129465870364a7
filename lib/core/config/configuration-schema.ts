/** The schema of the whole document, from which its types, its validation and the published JSON Schema come. */
import Type from 'typebox';
import { certificateSchema } from './certificate-schema.ts';
import { clusterSchema } from './cluster-schema.ts';
import { consumerSchema } from './consumer-schema.ts';
import { issuerSchema } from './issuer-schema.ts';
import { CERTIFICATE_ID_PATTERN } from './patterns.ts';
import { routeSchema } from './route-schema.ts';
import { closed, record } from './schema-parts.ts';

export const configurationSchema = Type.Object(
  {
    clusters: Type.Optional(record(clusterSchema, 'Clusters, by id')),
    issuers: Type.Optional(record(issuerSchema, 'Issuers of JWTs, by id')),
    consumers: Type.Optional(record(consumerSchema, 'Who comes by API key or password, by id')),
    certificates: Type.Optional(
      Type.Record(Type.String({ pattern: CERTIFICATE_ID_PATTERN }), certificateSchema, {
        ...closed,
        description:
          'Certificates of the listener, by host name; *.example.com for its subdomains, default for others',
      }),
    ),
    routes: Type.Optional(record(routeSchema, 'Routes, by id')),
  },
  { ...closed, description: 'Configuration of Fengling Gateway' },
);
