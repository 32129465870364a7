/** How the path changes on its way to the origin. */
import t from 'tap';
import type { Cluster, Rewrite, Route } from '../../lib/core/config/model.ts';
import { formatRequest } from '../helpers/raw-client.ts';
import { startOrigin } from '../helpers/scripted-origin.ts';
import { answerOk, startProxiedOrigin } from './proxied-origin.ts';

interface Case {
  readonly template: string;
  readonly rewrite?: Rewrite;
  /** The path of the destination's URL. */
  readonly base?: string;
  readonly paths: readonly (readonly [sent: string, forwarded: string])[];
}

const CASES: readonly Case[] = [
  {
    template: '/remove/{**rest}',
    rewrite: { removePrefix: '/remove' },
    paths: [
      ['/remove/a/b?c=/remove', '/a/b?c=/remove'],
      ['/remove', '/'],
      ['/remove/', '/'],
      ['/remove?', '/?'],
      ['/remove/remove/x', '/remove/x'],
      ['/remove//evil.example/x', '/evil.example/x'],
    ],
  },
  {
    template: '/{**rest}',
    rewrite: { removePrefix: '/whole' },
    paths: [
      ['/whole/a', '/a'],
      ['/wholesale/a', '/wholesale/a'],
      ['/elsewhere', '/elsewhere'],
    ],
  },
  {
    template: '/add/{**rest}',
    rewrite: { addPrefix: '/v1/api' },
    paths: [
      ['/add/a?b', '/v1/api/add/a?b'],
      ['/add', '/v1/api/add'],
    ],
  },
  {
    template: '/swap/{**rest}',
    rewrite: { removePrefix: '/swap', addPrefix: '/new/' },
    paths: [
      ['/swap/a/', '/new/a/'],
      ['/swap', '/new'],
    ],
  },
  {
    template: '/set/{**rest}',
    rewrite: { set: '/fixed/path' },
    paths: [
      ['/set/a/b', '/fixed/path'],
      ['/set/a?b=c', '/fixed/path?b=c'],
    ],
  },
  {
    template: '/users/{id}/orders/{**rest}',
    rewrite: { pattern: '/v2/orders/{rest}/of/{id}' },
    paths: [
      ['/users/7/orders/2026/open?x', '/v2/orders/2026/open/of/7?x'],
      ['/users/a%20b/orders/c', '/v2/orders/c/of/a%20b'],
    ],
  },
  {
    template: '/base/{**rest}',
    base: '/mounted/here/',
    paths: [
      ['/base/a?b', '/mounted/here/base/a?b'],
      ['/base', '/mounted/here/base'],
    ],
  },
  {
    template: '/both/{**rest}',
    base: '/mounted',
    rewrite: { removePrefix: '/both' },
    paths: [
      ['/both/a', '/mounted/a'],
      ['/both', '/mounted/'],
    ],
  },
];

const origin = await startOrigin(answerOk, { owner: t });
const routes: Record<string, Partial<Route>> = {};
const clusters: Record<string, Cluster> = {};
for (const [index, { template, rewrite, base = '' }] of CASES.entries()) {
  clusters[`c${index}`] = { destinations: { only: { url: origin.url + base } } };
  routes[`r${index}`] = {
    match: { path: template },
    cluster: `c${index}`,
    ...(rewrite === undefined ? {} : { rewrite }),
  };
}
const proxied = await startProxiedOrigin(t, { routes, clusters });

for (const { template, rewrite, base, paths } of CASES) {
  const how = `${JSON.stringify(rewrite ?? {})}${base === undefined ? '' : ` and base path ${base}`}`;
  t.test(`${template} with ${how}`, async (t) => {
    for (const [sent, forwarded] of paths) {
      const arrived = origin.requestArrived();
      const response = await proxied.request(formatRequest('GET', sent));
      t.equal(response.status, 200);
      t.equal((await arrived).target, forwarded, sent);
    }
  });
}
