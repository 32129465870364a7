const NOBODY = -1;

/**
 * Gives out turns in proportion to weights. The heaviest members have one turn a round, those of half
 * their weight one every other round, and so on; in the first round everybody has one. After r rounds a
 * member has had ceil(r · weight / heaviest weight) turns. A turn costs the same however many members
 * there are: a member waits in the list of the round in which it is due.
 *
 *     weights a 3, b 1        round 0: a b   round 1: a   round 2: a   round 3: a b   …
 */
export class WeightedTurns {
  readonly #weights: readonly number[];
  readonly #heaviest: number;
  readonly #turns: Float64Array;
  /** By round, the first member that is due in it; and by member, who is due after it. */
  readonly #firstDue: Int32Array;
  readonly #nextDue: Int32Array;
  #round = 0;

  /**
   * @param weights one positive integer a member, at least one member
   * @param turnCount how many turns will be taken
   */
  constructor(weights: readonly number[], turnCount: number) {
    this.#weights = weights;
    this.#heaviest = weights.reduce((heaviest, weight) => Math.max(heaviest, weight));
    this.#turns = new Float64Array(weights.length);
    // The heaviest have a turn every round, so there are no more rounds than turns.
    this.#firstDue = new Int32Array(turnCount).fill(NOBODY);
    this.#nextDue = new Int32Array(weights.length).fill(NOBODY);
    for (let member = weights.length - 1; member >= 0; member--) this.#enlist(member, 0);
  }

  /** Returns the index of the member whose turn it is, and counts the turn. */
  next(): number {
    while (this.#firstDue[this.#round] === NOBODY) this.#round += 1;
    const member = this.#firstDue[this.#round]!;
    this.#firstDue[this.#round] = this.#nextDue[member]!;
    const turns = this.#turns[member]! + 1;
    this.#turns[member] = turns;
    const dueRound = Math.floor((turns * this.#heaviest) / this.#weights[member]!);
    if (dueRound < this.#firstDue.length) this.#enlist(member, dueRound);
    return member;
  }

  #enlist(member: number, round: number): void {
    this.#nextDue[member] = this.#firstDue[round]!;
    this.#firstDue[round] = member;
  }
}
