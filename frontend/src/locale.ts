/** The reader's language as a locale: English here means the European order of dates and a day of 24 hours. */
export function locale(): string {
  return { it: 'it-IT', en: 'en-GB' }[document.documentElement.lang] ?? 'en-GB';
}
