/** The transforms of a YARP route: each is a small section that one of its keys gives the name. */
import type { Route } from '../config/model.ts';
import { HeaderTransformDraft } from './header-transform-draft.ts';
import { PathRewriteDraft } from './path-rewrite-draft.ts';
import { SectionReader } from './section-reader.ts';
import { importLiteralPath, importPattern, type ParameterNames } from './yarp-path.ts';

export type ImportedTransforms = Pick<
  Route,
  'rewrite' | 'requestHeaders' | 'responseHeaders' | 'preserveHost'
>;

interface Draft {
  readonly parameters: ParameterNames;
  readonly path: PathRewriteDraft;
  readonly requestHeaders: HeaderTransformDraft;
  readonly responseHeaders: HeaderTransformDraft;
  preserveHost: boolean;
}

/** Takes a transform and the text under the key that names it. */
type Handler = (transform: SectionReader, key: string, text: string, draft: Draft) => void;

const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['PathSet', changePath((draft, path) => void draft.path.set(path))],
  ['PathPrefix', changePath((draft, path) => void draft.path.addPrefix(path))],
  ['PathRemovePrefix', changePath((draft, path) => draft.path.removePrefix(path))],
  ['PathPattern', setPattern],
  ['RequestHeader', changeRequestHeader],
  ['RequestHeaderRemove', removeRequestHeader],
  ['RequestHeaderOriginalHost', preserveHost],
  ['ResponseHeader', changeResponseHeader],
  ['ResponseHeaderRemove', removeResponseHeader],
  ['X-Forwarded', acceptForwarded],
  ['RequestHeadersCopy', acceptCopy],
  ['ResponseHeadersCopy', acceptCopy],
  ['ResponseTrailersCopy', acceptCopy],
]);

/** What can be carried over of the transforms of a route; the notes say what cannot. */
export function importTransforms(route: SectionReader, parameters: ParameterNames): ImportedTransforms {
  const draft: Draft = {
    parameters,
    path: new PathRewriteDraft(),
    requestHeaders: new HeaderTransformDraft('request'),
    responseHeaders: new HeaderTransformDraft('response'),
    preserveHost: false,
  };
  for (const { value, pointer } of route.items('Transforms')) {
    importTransform(new SectionReader(value, pointer, route.notes), draft);
  }
  const [rewrite, requestHeaders] = [draft.path.toRewrite(), draft.requestHeaders.toTransform()];
  const responseHeaders = draft.responseHeaders.toTransform();
  return {
    ...(rewrite !== undefined && { rewrite }),
    ...(requestHeaders !== undefined && { requestHeaders }),
    ...(responseHeaders !== undefined && { responseHeaders }),
    ...(draft.preserveHost && { preserveHost: true }),
  };
}

function importTransform(transform: SectionReader, draft: Draft): void {
  for (const [key, handle] of HANDLERS) {
    if (transform.has(key)) {
      handle(transform, key, transform.text(key) ?? '', draft);
      break;
    }
  }
  transform.noteUnread();
}

/** `change` returns false where it cannot be combined with what came before. */
function changePath(change: (draft: Draft, path: string) => boolean | undefined): Handler {
  return (transform, key, text, draft) => {
    const { value, problem } = importLiteralPath(text);
    if (value === null) {
      transform.note(key, `was left out: ${problem}`);
    } else if (change(draft, value) === false) {
      transform.note(key, 'was left out: it cannot be combined with the path transforms before it');
    }
  };
}

function setPattern(transform: SectionReader, key: string, text: string, draft: Draft): void {
  const { value, problem } = importPattern(text, draft.parameters);
  if (value === null) transform.note(key, `was left out: ${problem}`);
  else draft.path.setPattern(value);
}

function changeRequestHeader(transform: SectionReader, key: string, name: string, draft: Draft): void {
  changeHeader(transform, key, name, draft.requestHeaders);
}

function removeRequestHeader(transform: SectionReader, key: string, name: string, draft: Draft): void {
  noteProblem(transform, key, draft.requestHeaders.remove(name));
}

function changeResponseHeader(transform: SectionReader, key: string, name: string, draft: Draft): void {
  if (appliesToSuccess(transform)) changeHeader(transform, key, name, draft.responseHeaders);
}

function removeResponseHeader(transform: SectionReader, key: string, name: string, draft: Draft): void {
  if (appliesToSuccess(transform)) noteProblem(transform, key, draft.responseHeaders.remove(name));
}

/** Here a change of response headers applies to every response. */
function appliesToSuccess(transform: SectionReader): boolean {
  const when = (transform.filledText('When') ?? 'success').toLowerCase();
  if (when === 'always') return true;
  if (when === 'success') {
    transform.note('When', 'applies to every response here, not to successful ones only');
    return true;
  }
  transform.note('When', 'changes of failed responses alone have no counterpart: the transform was left out');
  transform.ignore('Set', 'Append');
  return false;
}

/** An empty value takes a header away. */
function changeHeader(
  transform: SectionReader,
  key: string,
  name: string,
  draft: HeaderTransformDraft,
): void {
  const [set, append] = [transform.text('Set'), transform.text('Append')];
  if (set !== null) {
    noteProblem(transform, key, set === '' ? draft.remove(name) : draft.set(name, set));
  } else if (append !== null) {
    noteProblem(transform, key, append === '' ? null : draft.append(name, append));
  } else {
    transform.note(key, 'was left out: it has neither Set nor Append');
  }
}

function noteProblem(transform: SectionReader, key: string, problem: string | null): void {
  if (problem !== null) transform.note(key, `was left out: ${problem}`);
}

function preserveHost(_transform: SectionReader, _key: string, text: string, draft: Draft): void {
  draft.preserveHost = text.toLowerCase() === 'true';
}

/** Copying is what happens here anyway. */
function acceptCopy(transform: SectionReader, key: string, text: string): void {
  if (text.toLowerCase() !== 'true') {
    transform.note(
      key,
      'has no counterpart: all headers and trailers are passed on, but for those of one connection',
    );
  }
}

const FORWARDED_PARTS = ['For', 'Host', 'Proto', 'Prefix'] as const;
const DEFAULT_HEADER_PREFIX = 'x-forwarded-';

/** To set them all is what happens here anyway. */
function acceptForwarded(transform: SectionReader, key: string, text: string): void {
  const actions = FORWARDED_PARTS.map((part) => transform.filledText(part) ?? text);
  const prefix = transform.filledText('HeaderPrefix') ?? DEFAULT_HEADER_PREFIX;
  const isDefault =
    actions.every((action) => action.toLowerCase() === 'set') &&
    prefix.toLowerCase() === DEFAULT_HEADER_PREFIX;
  if (!isDefault) {
    transform.note(
      key,
      'was left out: X-Forwarded-For, -Host and -Proto are always set here (see --trusted-proxies)',
    );
  }
}
