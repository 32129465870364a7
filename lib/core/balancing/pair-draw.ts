/** Two different indices drawn at random. They are fields, so that a draw makes no object. */
export class PairDraw {
  first = 0;
  second = 0;
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /**
   * Draws `first` and `second` from 0 to `count` − 1, every ordered pair as likely as any other.
   * `count` is at least 2.
   */
  draw(count: number): void {
    const first = Math.floor(this.#random() * count);
    // One of the other indices: those from `first` on are shifted up by one.
    const second = Math.floor(this.#random() * (count - 1));
    this.first = first;
    this.second = second < first ? second : second + 1;
  }
}
