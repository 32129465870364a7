/** Comparing a path with the text of a template, without taking either apart. */

const OPENING_BRACE = 0x7b;
const ASTERISK = 0x2a;

/** Where the segment `index` of a path or template starts; one behind the end of a text that ends before it. */
export function findSegmentStart(text: string, index: number): number {
  let start = 1;
  for (let count = 0; count < index; count += 1) {
    const slash = text.indexOf('/', start);
    start = slash === -1 ? text.length + 1 : slash + 1;
  }
  return start;
}

/** How many segments a path or template has before the one that starts at `start`. */
export function countSegments(text: string, start: number): number {
  let count = 0;
  for (let at = 1; at < start; at = findSegmentEnd(text, at) + 1) {
    count += 1;
  }
  return count;
}

/** Whether the segment of a valid template that starts at `start` is a parameter, or a rest. */
export function isParameter(template: string, start: number): boolean {
  return template.charCodeAt(start) === OPENING_BRACE;
}

/** Whether it is a rest. */
export function isRest(template: string, start: number): boolean {
  return isParameter(template, start) && template.charCodeAt(start + 1) === ASTERISK;
}

/**
 * Whether `path` from `pathStart` on matches the valid `template` from `templateStart` on. Both starts are
 * the start of a segment, or one behind the end of a text that has no more segments.
 */
export function matchTemplateFrom(
  template: string,
  templateStart: number,
  path: string,
  pathStart: number,
): boolean {
  let templateIndex = templateStart;
  let pathIndex = pathStart;
  while (templateIndex < template.length) {
    const code = template.charCodeAt(templateIndex);
    if (code === OPENING_BRACE) {
      if (template.charCodeAt(templateIndex + 1) === ASTERISK) {
        return true;
      }
      const end = findSegmentEnd(path, pathIndex);
      if (end <= pathIndex) {
        return false;
      }
      pathIndex = end;
      templateIndex = template.indexOf('}', templateIndex) + 1;
    } else if (path.charCodeAt(pathIndex) === code) {
      pathIndex += 1;
      templateIndex += 1;
    } else {
      // The path may end where only a rest of nothing follows, with its slash.
      return pathIndex === path.length && template.startsWith('{**', templateIndex + 1);
    }
  }
  // An index is at the end where the last segment is used up, and one behind it where there was none left:
  // a trailing slash in one text alone is the difference between the two.
  return path.length - pathIndex === template.length - templateIndex;
}

/** Where the segment that starts at `start` ends. */
export function findSegmentEnd(text: string, start: number): number {
  const slash = text.indexOf('/', start);
  return slash === -1 ? text.length : slash;
}
