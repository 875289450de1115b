/**
 * Figures as a table in Markdown.
 *
 * @module
 */

import { type Goal, isMet, type Row } from "./scenario.ts";

/** The head of the table; {@linkcode tableLine} gives what stands below it. */
export const TABLE_HEAD: readonly string[] = [
  "| scenario | what | figure | goal | met | beside it (ratio of ours to theirs) | remark |",
  "| --- | --- | --: | --: | --- | --- | --- |",
];

/** A figure of `scenario` as a line of the table. */
export function tableLine(
  scenario: string,
  { what, figure, unit, goal, peers = [], remark = "" }: Row,
): string {
  const beside = peers.map(({ name, figure: theirs }) =>
    `${name}: ${shown(theirs)} (${shown(figure / theirs)})`
  );
  const cells = [
    scenario,
    what,
    `${shown(figure)} ${unit}`,
    goal === undefined ? "" : goalText(goal),
    goal === undefined ? "" : isMet(figure, goal) ? "yes" : "no",
    beside.join("; "),
    remark,
  ];
  return `| ${cells.join(" | ")} |`;
}

/** Three digits that count. */
function shown(figure: number): string {
  if (!Number.isFinite(figure)) return "–";
  return Math.abs(figure) >= 100
    ? Math.round(figure).toLocaleString("en")
    : String(Number(figure.toPrecision(3)));
}

function goalText(goal: Goal): string {
  return "atMost" in goal ? `≤ ${shown(goal.atMost)}` : `≥ ${shown(goal.atLeast)}`;
}
