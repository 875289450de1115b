/** A model of a terminal, no more than the line mode writes to: whatever else comes is an error. */
export class Screen {
  readonly columns: number;
  #rows: string[][] = [[]];
  #row = 0;
  #column = 0;
  /** Everything written, as it was. */
  written = "";

  constructor(columns: number) {
    this.columns = columns;
  }

  /** The rows from the first, without spaces at their ends; an empty last row where the cursor is there. */
  get rows(): string[] {
    return this.#rows.map((cells) => Array.from(cells, (cell) => cell ?? " ").join("").trimEnd());
  }

  get cursor(): readonly [row: number, column: number] {
    return [this.#row, this.#column];
  }

  write(text: string): Promise<void> {
    this.written += text;
    // deno-lint-ignore no-control-regex
    const pieces = text.matchAll(/\x1b\[(\d*)([A-DGJKm])|([\x00-\x1f\x7f-\x9f])|(.)/gsu);
    for (const [, count, order, control, character] of pieces) {
      if (order !== undefined) this.#order(order, count === "" ? undefined : Number(count));
      else if (control !== undefined) this.#control(control);
      else if (character !== undefined) this.#print(character);
    }
    return Promise.resolve();
  }

  #order(order: string, count: number | undefined): void {
    const by = count ?? 1;
    if (order === "A") this.#row = Math.max(0, this.#row - by);
    if (order === "B") this.#down(by);
    if (order === "C") this.#column = Math.min(this.columns - 1, this.#column + by);
    if (order === "D") this.#column = Math.max(0, Math.min(this.#column, this.columns - 1) - by);
    if (order === "G") this.#column = by - 1;
    if (order === "K") this.#cells().length = Math.min(this.#cells().length, this.#column);
    if (order === "J") {
      if ((count ?? 0) !== 0) throw new Error("erases what is above");
      this.#cells().length = Math.min(this.#cells().length, this.#column);
      this.#rows.length = this.#row + 1;
    }
  }

  #control(control: string): void {
    if (control === "\r") this.#column = 0;
    else if (control === "\n") this.#down(1);
    else throw new Error(`U+${control.charCodeAt(0).toString(16)} on the screen`);
  }

  #print(character: string): void {
    if (/\p{Mn}/u.test(character)) return;
    const width = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uff00-\uff60\u{1f300}-\u{1faff}]/u.test(character)
      ? 2
      : 1;
    if (this.#column + width > this.columns) {
      this.#column = 0;
      this.#down(1);
    }
    const cells = this.#cells();
    while (cells.length < this.#column) cells.push(" ");
    cells.splice(this.#column, width, character, ...(width === 2 ? [""] : []));
    this.#column += width;
  }

  #down(by: number): void {
    this.#row += by;
    while (this.#rows.length <= this.#row) this.#rows.push([]);
  }

  #cells(): string[] {
    const cells = this.#rows[this.#row];
    if (cells === undefined) throw new Error("below the screen");
    return cells;
  }
}
