import { createCertificate } from '../../test/helpers/certificate.ts';
import { loadOverHttp } from '../suite/autocannon-load.ts';
import { startAll } from '../suite/field.ts';
import { oneRouteTo } from '../suite/gateway-configuration.ts';
import { startHaproxy } from '../suite/haproxy.ts';
import { nginxProxy } from '../suite/nginx-proxy.ts';
import type { Workload } from '../suite/workload.ts';
import { hasNginx, startGatewayWith, startNginxWith } from '../support/contender.ts';

const LOAD = { connections: 64, paths: ['/r0/any'], secure: true };

export const tls: Workload = {
  name: 'tls',
  title: 'TLS',
  description:
    'Small GET, one route, over 64 kept connections with TLS 1.3, X25519 and ECDSA P-256; their handshakes, 64 in each ' +
    'burst, are part of the time. `node benchmarks/tls.ts` measures handshakes alone.',
  warmUps: 3,
  targets: [],
  async enter(bench, scope) {
    const origin = await bench.origin();
    const certificate = await createCertificate(scope, ['DNS:localhost', 'IP:127.0.0.1']);
    const { certFile, keyFile } = certificate;
    const options = { cores: bench.cores.contender };
    // Who connects to an address says no host name, and gets the certificate for all others.
    const configuration = { ...oneRouteTo(origin), certificates: { default: { certFile, keyFile } } };
    const nginx = (port: number) => nginxProxy(origin, port, { prefixes: ['/'], tls: { certFile, keyFile } });
    const { contenders, leftOut } = await startAll(scope, {
      gateway: () => startGatewayWith(configuration, 1, { ...options, tls: true }),
      nginx: async () => (hasNginx() ? startNginxWith('nginx', nginx, options) : null),
      HAProxy: () => startHaproxy(origin, { prefixes: ['/'], tls: { certFile, keyFile }, ...options }),
    });
    const entrants = contenders.map((contender) => ({
      name: contender.name,
      contender,
      load: (seconds: number) => loadOverHttp({ port: contender.port, ...LOAD }, seconds),
    }));
    return { entrants, leftOut };
  },
};
