import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GatewaySettings } from '../primary/gateway-settings.ts';
import { DemoOrigin } from './demo-origin.ts';
import { runGateway } from './start.ts';

const DEMO_STATE = './.gateway-demo';

/** The sample configuration, in YAML, for three origins. */
function sampleConfiguration(urls: readonly string[]): string {
  return `# The demo's configuration. Edit it while the demo runs: saving applies the difference.
clusters:
  orders:
    loadBalancing: { policy: roundRobin }
    destinations:
      orders-1: { url: "${urls[0]}" }
      orders-2: { url: "${urls[1]}" }
  site:
    destinations:
      site-1: { url: "${urls[2]}" }
routes:
  orders-api:
    match: { path: "/orders/{**rest}" }
    cluster: orders
    rewrite: { removePrefix: "/orders" }
  orders-beta:
    match: { path: "/orders/{**rest}", headers: [{ name: x-beta, values: ["yes"] }] }
    cluster: orders
    responseHeaders: { set: { x-version: beta } }
  site:
    match: { path: "/{**rest}" }
    cluster: site
`;
}

function introduction(listen: string, adminUrl: string, file: string): string {
  return `
Fengling Gateway demo: the gateway on ${listen}, three small origins behind it.

Try:
  curl http://${listen}/orders/42                     two origins take turns
  curl -i -H 'x-beta: yes' http://${listen}/orders/7  a more specific route wins and adds a header
  curl http://${listen}/anything                      everything else goes to the third origin
  curl ${adminUrl}/metrics                        what the workers counted

Change ${file} and save it: the next request goes by it. Ctrl-C ends the demo.

`;
}

/** `gateway demo`: origins of its own, a sample configuration file, and the real gateway in front. */
export async function runDemo(settings: GatewaySettings, defaultState: boolean): Promise<void> {
  const stateDirectory = defaultState ? DEMO_STATE : settings.stateDirectory;
  const origins = ['orders-1', 'orders-2', 'site-1'].map((name) => new DemoOrigin(name));
  const urls = await Promise.all(origins.map((origin) => origin.listen()));
  await mkdir(stateDirectory, { recursive: true });
  const configFile = settings.configFile ?? join(stateDirectory, 'gateway.yaml');
  if (settings.configFile === null) await writeFile(configFile, sampleConfiguration(urls));
  // Only then are the ports known, and is there something to try.
  await runGateway({ ...settings, configFile, stateDirectory }, (listen, admin) => {
    const adminUrl = `${settings.adminTls === null ? 'http' : 'https'}://${reachable(admin)}`;
    process.stdout.write(introduction(reachable(listen), adminUrl, configFile));
  });
}

/** The address to connect to where a gateway listens on all of them. */
function reachable(address: string): string {
  return address.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:');
}
