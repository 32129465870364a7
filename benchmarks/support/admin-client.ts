/** The management API and the event stream of one instance, as a console uses them. */
import http from 'node:http';
import type { InstanceStatus } from '../../lib/admin/control-plane.ts';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface StreamedEvent {
  readonly type: string;
  readonly data: Record<string, unknown>;
  /** `performance.now()` at its arrival. */
  readonly atMs: number;
}

export class AdminClient {
  readonly #port: number;
  readonly #token: string;

  constructor(port: number, token: string) {
    this.#port = port;
    this.#token = token;
  }

  /** @param body JSON text */
  async send(method: string, path: string, body?: string): Promise<Answer> {
    const answer = await fetch(`http://127.0.0.1:${this.#port}/api/gateway${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body }),
    });
    return { status: answer.status, body: await answer.json() };
  }

  async status(): Promise<InstanceStatus> {
    const { status, body } = await this.send('GET', '/status');
    if (status !== 200) throw new Error(`status answered ${status}: ${JSON.stringify(body)}`);
    return body as InstanceStatus;
  }

  /** Hands over each event as it comes. Resolves once the stream stands; @returns what ends it */
  streamEvents(onEvent: (event: StreamedEvent) => void): Promise<() => void> {
    const options = {
      host: '127.0.0.1',
      port: this.#port,
      path: '/api/gateway/events',
      headers: { authorization: `Bearer ${this.#token}` },
      agent: false as const,
    };
    return new Promise((resolve, reject) => {
      const request = http.get(options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          const atMs = performance.now();
          const events = (text + part).split('\n\n');
          text = events.pop() ?? '';
          for (const event of events) if (!event.startsWith(':')) onEvent(parseEvent(event, atMs));
        });
        // Where the instance was killed; whoever waits for an event has a limit.
        response.on('error', () => {});
        resolve(() => request.destroy());
      });
      request.on('error', reject);
    });
  }
}

function parseEvent(text: string, atMs: number): StreamedEvent {
  const type = /^event: (.*)$/m.exec(text)?.[1] ?? '';
  const data = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? '{}') as Record<string, unknown>;
  return { type, data, atMs };
}
