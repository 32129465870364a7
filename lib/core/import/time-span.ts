/** The constant format of .NET's TimeSpan: `[-][d.]hh:mm:ss[.fffffff]`. */
const TIME_SPAN = /^(-)?(?:(\d{1,8})\.)?(\d{2}):(\d{2}):(\d{2})(?:\.(\d{7}))?$/;

/** Milliseconds, rounded up; null where the text is no time span. */
export function parseTimeSpan(text: string): number | null {
  const match = TIME_SPAN.exec(text.trim());
  if (match === null) return null;
  const [, sign, days = '0', hours, minutes, seconds, fraction = '0'] = match;
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return null;
  const wholeSeconds = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
  const milliseconds = wholeSeconds * 1_000 + Math.ceil(Number(fraction) / 10_000);
  return sign === undefined ? milliseconds : -milliseconds;
}
