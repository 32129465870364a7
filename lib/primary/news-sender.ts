/**
 * Tells one worker the newest word on each of many things: at once while the way is free, and in slices, each
 * when the one before has left. What waits is bounded by the number of things.
 */
export class NewsSender<News> {
  readonly #send: (news: News[], onSent: () => void) => void;
  readonly #keyOf: (news: News) => string;
  readonly #weightOf: (news: News) => number;
  readonly #sliceWeight: number;
  readonly #waiting = new Map<string, News>();
  #underWay = false;
  #onAllSent: (() => void)[] = [];

  /**
   * @param send sends a slice; calls back when it has left, never before it returns
   * @param keyOf what a piece of news is about: a later one replaces one that still waits
   * @param sliceWeight what a slice weighs at most, unless one piece alone weighs more
   */
  constructor(
    send: (news: News[], onSent: () => void) => void,
    keyOf: (news: News) => string,
    sliceWeight: number,
    weightOf: (news: News) => number = () => 1,
  ) {
    this.#send = send;
    this.#keyOf = keyOf;
    this.#sliceWeight = sliceWeight;
    this.#weightOf = weightOf;
  }

  add(news: Iterable<News>): void {
    for (const one of news) this.#waiting.set(this.#keyOf(one), one);
    if (!this.#underWay) this.#sendSlice();
  }

  /** Calls back when nothing waits to be sent any more, at once where nothing does. */
  whenSent(onAllSent: () => void): void {
    if (this.#waiting.size === 0) onAllSent();
    else this.#onAllSent.push(onAllSent);
  }

  #sendSlice(): void {
    const slice = this.#takeSlice();
    this.#underWay = slice.length > 0;
    if (!this.#underWay) return;
    this.#send(slice, () => this.#sendSlice());
    if (this.#waiting.size > 0) return;
    const waiting = this.#onAllSent;
    this.#onAllSent = [];
    for (const onAllSent of waiting) onAllSent();
  }

  #takeSlice(): News[] {
    const slice: News[] = [];
    let weight = 0;
    for (const [key, one] of this.#waiting) {
      weight += this.#weightOf(one);
      if (slice.length > 0 && weight > this.#sliceWeight) break;
      slice.push(one);
      this.#waiting.delete(key);
    }
    return slice;
  }
}
