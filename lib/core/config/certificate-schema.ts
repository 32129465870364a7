/** The schema of a certificate of the listener. Its id is the host name that it is for. */
import Type from 'typebox';
import { TLS_VERSIONS } from './cluster-schema.ts';
import { closed, fieldName, fileName, variableName } from './schema-parts.ts';

export const CLIENT_CERTIFICATE_FACTS = [
  'subject',
  'commonName',
  'issuer',
  'serialNumber',
  'fingerprint',
] as const;

const clientCertificateSchema = Type.Object(
  {
    mode: Type.Enum(['required', 'optional'], {
      description: 'required: no request without one; optional: asked for, and verified where it comes',
    }),
    caFile: Type.Optional(fileName('the authorities that sign client certificates, in PEM')),
    caEnv: Type.Optional(variableName('the authorities that sign client certificates, in PEM')),
    headers: Type.Optional(
      Type.Record(fieldName, Type.Enum([...CLIENT_CERTIFICATE_FACTS]), {
        ...closed,
        description: 'Headers that the origin gets, each from the certificate; no client can send them',
      }),
    ),
  },
  { ...closed, description: 'Client certificates (mutual TLS)' },
);

export const certificateSchema = Type.Object(
  {
    certFile: Type.Optional(fileName('the certificate and its chain, in PEM; read again when it changes')),
    certEnv: Type.Optional(variableName('the certificate and its chain, in PEM')),
    keyFile: Type.Optional(fileName('its private key, in PEM')),
    keyEnv: Type.Optional(variableName('its private key, in PEM')),
    minVersion: Type.Optional(Type.Enum([...TLS_VERSIONS], { description: 'Default TLSv1.2' })),
    clientCertificate: Type.Optional(clientCertificateSchema),
  },
  { ...closed, description: 'A certificate that the listener shows, by the host name that it is for' },
);
