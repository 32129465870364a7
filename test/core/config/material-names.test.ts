import t from 'tap';
import { keyMaterialOf, materialName, materialsOf } from '../../../lib/core/config/material-names.ts';
import type { Issuer } from '../../../lib/core/config/model.ts';

const ISSUER: Issuer = { issuer: 'i', audience: ['a'], algorithms: ['RS256'] };

t.test('a name says where a material comes from', async (t) => {
  t.equal(materialName('/etc/key', undefined), 'file:/etc/key');
  t.equal(materialName(undefined, 'KEY'), 'env:KEY');
  t.equal(materialName(undefined, undefined), null);
});

t.test('an issuer has one source of keys, or its keys in itself', async (t) => {
  t.equal(keyMaterialOf({ ...ISSUER, jwksUrl: 'https://i/jwks' }), 'jwks:https://i/jwks');
  t.equal(keyMaterialOf({ ...ISSUER, jwksFile: '/keys' }), 'file:/keys');
  t.equal(keyMaterialOf({ ...ISSUER, secretFile: '/secret' }), 'file:/secret');
  t.equal(keyMaterialOf({ ...ISSUER, secretEnv: 'SECRET' }), 'env:SECRET');
  t.equal(keyMaterialOf({ ...ISSUER, jwks: { keys: [{}] } }), null);
});

t.test('the materials of an entry are all that it refers to', async (t) => {
  t.same(materialsOf('issuer', { ...ISSUER, secretEnv: 'SECRET' }), ['env:SECRET']);
  t.same(materialsOf('issuer', { ...ISSUER, jwks: { keys: [{}] } }), []);
  const clientCertificate = { mode: 'required', caEnv: 'CA' } as const;
  t.same(materialsOf('certificate', { certFile: '/c', keyEnv: 'KEY', clientCertificate }), [
    'file:/c',
    'env:KEY',
    'env:CA',
  ]);
  const destinations = { one: { url: 'https://origin' } };
  const tls = { caFile: '/ca', certEnv: 'CERT', keyFile: '/k' };
  t.same(materialsOf('cluster', { destinations, tls }), ['file:/ca', 'env:CERT', 'file:/k']);
  t.same(materialsOf('cluster', { destinations }), []);
  t.same(materialsOf('consumer', { scopes: [] }), []);
  t.same(materialsOf('route', { cluster: 'c', match: {} }), []);
});
