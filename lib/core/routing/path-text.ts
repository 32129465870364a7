/** Checks of path text that people write into routes: it must read exactly as a canonical request path does. */
import { quoteText } from '../config/quote-text.ts';
import {
  findCharacterProblem,
  findDisguisedDotSegment,
  normaliseEscapes,
  type PathProblem,
} from '../http/canonical-path.ts';

/** Nearly every segment: none of the rules is about these characters, but for dots alone. */
const PLAIN_SEGMENT = /^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$/;

/** What is wrong with one literal segment of a path, and how to write it; null where it is canonical. */
export function findSegmentProblem(segment: string): string | null {
  if (PLAIN_SEGMENT.test(segment)) {
    return null;
  }
  const quoted = quoteText(segment);
  if (segment === '.' || segment === '..') {
    return `the segment ${quoted} never arrives: dot segments are resolved before matching; write the path without it`;
  }
  const advice = findAdvice(segment);
  if (advice !== null) {
    return `the segment ${quoted} has ${advice}`;
  }
  const normalised = normaliseEscapes(segment);
  if (normalised !== segment) {
    return `the segment ${quoted} arrives as ${quoteText(normalised)}: write it so`;
  }
  return findDisguisedDotSegment(segment) === null
    ? null
    : `the segment ${quoted} may be read as a dot segment: requests with it are refused, so it never matches`;
}

function findAdvice(segment: string): string | null {
  if (segment.includes('{') || segment.includes('}')) {
    return (
      "a brace beside other text: a parameter is one whole segment, as in '/{id}'; " +
      'write %7B and %7D for the characters'
    );
  }
  if (segment.includes('?')) {
    return "a '?': a path has no query; use query predicates, or write %3F for the character";
  }
  const problem = findCharacterProblem(segment);
  return problem === null ? null : describeCharacter(problem, segment);
}

function describeCharacter(problem: PathProblem, segment: string): string {
  switch (problem) {
    case 'malformed escape':
      return "a '%' without two hex digits after it: write %25 for the character";
    case 'fragment':
      return "a '#': fragments are never sent; write %23 for the character";
    case 'space':
      return 'a space: write it as %20';
    case 'non-ASCII character':
      return `a character outside ASCII: write it percent-encoded${suggestEncoding(segment)}`;
    default:
      return `something that requests are refused for (${problem}), so it never matches: remove it`;
  }
}

function suggestEncoding(segment: string): string {
  return segment.isWellFormed() ? `, ${encodeURI(segment)}` : '';
}
