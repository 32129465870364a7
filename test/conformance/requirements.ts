/** What may happen in a case, to be chosen from: each has its words for the page and its test. */
import type { HttpMessage } from '../helpers/http-message.ts';
import type { RawResponse } from '../helpers/response-reader.ts';
import type { ClientSide, Observation } from './observation.ts';
import { targetOf } from './strict-reading.ts';
import { PROBE_TARGET } from './wire-text.ts';

export interface Requirement {
  /** Goes on after "must be", such as `answered 400, and the connection closed`. */
  readonly text: string;
  readonly holds: (seen: Observation) => boolean;
}

/** A status, or all of a class. */
export type StatusRule = number | '4xx' | '5xx';

function matches(status: number | undefined, rules: readonly StatusRule[]): boolean {
  return rules.some((rule) =>
    typeof rule === 'number' ? rule === status : Math.floor((status ?? 0) / 100) === Number(rule[0]),
  );
}

/** The requests that are not the probe's. */
export function ownRequests({ origin }: Observation): HttpMessage[] {
  return origin.requests
    .map(({ message }) => message)
    .filter((message) => targetOf(message) !== PROBE_TARGET);
}

function isNothingForwarded(seen: Observation): boolean {
  return ownRequests(seen).length === 0;
}

/** The connection has ended with the first answer, and nothing behind it was answered. */
function closedAfterOne({ responses, end }: ClientSide): boolean {
  return responses.length === 1 && end !== null;
}

/** The gateway answers by itself and closes, so that nothing behind the request is read as another. */
export function refused(...statuses: readonly StatusRule[]): Requirement {
  return {
    text: `${statuses.join(' or ')}, closed, nothing forwarded`,
    holds: (seen) =>
      matches(seen.client.responses[0]?.status, statuses) &&
      closedAfterOne(seen.client) &&
      isNothingForwarded(seen),
  };
}

/** The gateway answers by itself; the message is clear, so the connection may go on. */
export function declined(...statuses: readonly StatusRule[]): Requirement {
  return {
    text: `${statuses.join(' or ')}, nothing forwarded`,
    holds: (seen) => matches(seen.client.responses[0]?.status, statuses) && isNothingForwarded(seen),
  };
}

/** No answer at all: what is not HTTP deserves none. */
export const dropped: Requirement = {
  text: 'closed without an answer, nothing forwarded',
  holds: (seen) => seen.client.bytes.length === 0 && seen.client.end !== null && isNothingForwarded(seen),
};

/** What the origin got of the request is not whole, and the client was not told that it was. */
export const cutOff: Requirement = {
  text: 'never whole at the origin, no success for the client',
  holds: (seen) =>
    seen.origin.requests.every(
      ({ message, isComplete }) => !isComplete || targetOf(message) === PROBE_TARGET,
    ) &&
    seen.client.responses.every(({ status, ended }) => status >= 400 || ended !== 'complete') &&
    seen.client.end !== null,
};

/** Exactly one request reaches the origin, whole and clear, and its answer the client. */
export function forwarded(what: string, holds: (request: HttpMessage) => boolean = () => true): Requirement {
  return {
    text: what === '' ? 'forwarded' : `forwarded ${what}`,
    holds: (seen) => {
      const requests = ownRequests(seen);
      const [request] = requests;
      return (
        requests.length === 1 &&
        request !== undefined &&
        seen.origin.requests.every(({ isComplete }) => isComplete) &&
        seen.client.responses[0]?.ended === 'complete' &&
        seen.client.responses[0].status < 400 &&
        holds(request)
      );
    },
  };
}

/** As `forwarded`, and the connection of the client closed, as its next bytes cannot be trusted. */
export function forwardedAndClosed(what: string, holds?: (request: HttpMessage) => boolean): Requirement {
  const passes = forwarded(what, holds);
  return {
    text: `${passes.text}, closed`,
    holds: (seen) => passes.holds(seen) && closedAfterOne(seen.client),
  };
}

/** The first answer is whole and is what the origin meant. */
export function answered(what: string, holds: (response: RawResponse) => boolean): Requirement {
  return {
    text: what,
    holds: ({ client }) => {
      const [response] = client.responses;
      return response?.ended === 'complete' && holds(response);
    },
  };
}

/** The gateway answers for the origin. */
export const badGateway: Requirement = {
  text: '502',
  holds: ({ client }) => client.responses[0]?.status === 502 && client.responses[0].ended === 'complete',
};

/** The client can tell that the answer is not whole: its end, or its head, never came. */
export const brokenOff: Requirement = {
  text: 'broken off for the client, too',
  holds: ({ client }) =>
    client.end !== null && (client.responses.length === 0 || client.responses[0]?.ended !== 'complete'),
};

/** For whatever is special about one case. */
export function seen(text: string, holds: (seen: Observation) => boolean): Requirement {
  return { text, holds };
}

/** The values of all fields of that name, whatever its spelling, joined; empty where there is none. */
export function field(message: HttpMessage, name: string): string {
  return message.header(name) ?? '';
}
