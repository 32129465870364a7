/** Runs a case against a gateway and tells what could be seen of it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { request } from '../helpers/raw-client.ts';
import { type ClientStep, type ConformanceCase, stepsOf } from './conformance-case.ts';
import { type Conversation, converse } from './conversation.ts';
import type { ClientSide, Observation } from './observation.ts';
import type { RecordingOrigin } from './recording-origin.ts';
import { BARRIER_TARGET, closingRequest, PROBE_TARGET } from './wire-text.ts';

/** Reached only where a gateway leaves a connection open for good: a busy machine must not be taken for that. */
const ANSWER_LIMIT_MS = 10_000;
/** A gateway that collects the body before it connects to the origin lets such a wait pass in vain. */
const ARRIVAL_LIMIT_MS = 2_000;
const BARRIER_LIMIT_MS = 10_000;
const MAX_WARM_UPS = 5;

/** One case at a time: the origin belongs to it alone. @throws Error where the gateway serves nothing at all */
export async function runCase(
  port: number,
  origin: RecordingOrigin,
  tested: ConformanceCase,
): Promise<Observation> {
  origin.begin(tested);
  await warmUp(port);
  const client = await talk(port, origin, tested);
  const nextClient = await visit(port);
  // What the gateway wrote before the barrier's answer is in our sockets by now, but not yet read.
  await nextTurn();
  await nextTurn();
  return { client, origin: origin.observe(), nextClient };
}

/** Patient cases side by side; each is known by its target, which begins with its id. */
export async function runPatientCases(
  port: number,
  origin: RecordingOrigin,
  cases: readonly ConformanceCase[],
): Promise<Observation[]> {
  origin.begin({});
  await warmUp(port);
  const clients = await Promise.all(cases.map((tested) => talk(port, origin, tested)));
  const nextClient = await visit(port);
  await nextTurn();
  return clients.map((client, index) => {
    const isOwn = (target: string) => target.startsWith(`/public/${cases[index]?.id}`);
    return { client, origin: origin.observe(isOwn), nextClient };
  });
}

async function talk(port: number, origin: RecordingOrigin, tested: ConformanceCase): Promise<ClientSide> {
  const steps = stepsOf(tested);
  const toHead = steps[0]?.toString().startsWith('HEAD ') ?? false;
  const conversation = await converse(port, toHead, () => origin.notify());
  await takeSteps(steps, conversation, origin);
  const limitMs = tested.limitMs ?? ANSWER_LIMIT_MS;
  await conversation.waitForResponses(1, limitMs);
  if (conversation.isOpen) {
    conversation.probed = true;
    conversation.send(closingRequest(PROBE_TARGET));
  }
  if (conversation.responses.at(-1)?.status !== 101) await conversation.waitForEnd(limitMs);
  return conversation.finish();
}

async function takeSteps(
  steps: readonly ClientStep[],
  conversation: Conversation,
  origin: RecordingOrigin,
): Promise<void> {
  let bytesBefore = origin.recordedBytes;
  for (const step of steps) {
    if (step === 'end') conversation.end();
    else if (typeof step === 'string') {
      bytesBefore = origin.recordedBytes;
      conversation.send(step);
    } else if (step.until === 'answered') await conversation.waitForAnswer(ANSWER_LIMIT_MS);
    else await origin.waitForMore(bytesBefore, () => conversation.isAnswered, ARRIVAL_LIMIT_MS);
  }
}

/** The connections of the case before are gone: asks until a fresh one stands and the gateway serves. */
async function warmUp(port: number): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const problem = await visit(port);
    if (problem === null) return;
    if (attempt === MAX_WARM_UPS) throw new Error(`the gateway serves nothing: ${problem}`);
  }
}

/** A request of another client; null where it gets its own answer, and else what it got. */
async function visit(port: number): Promise<string | null> {
  try {
    const response = await request(port, closingRequest(BARRIER_TARGET), { limitMs: BARRIER_LIMIT_MS });
    const isOwn = response.status === 200 && response.text === 'barrier' && response.ended === 'complete';
    return isOwn ? null : `${response.status} ${JSON.stringify(response.text.slice(0, 80))}`;
  } catch (error) {
    return (error as Error).message.slice(0, 120);
  }
}
