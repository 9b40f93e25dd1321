import type { Json, StageData } from "@/api/studies";

/** The subset of SurveyJS's JSON that the server sends. */
export interface Choice {
  value: string | number;
  text: string;
}

interface Named {
  name: string;
  title: string;
  description: string;
  isRequired: boolean;
}

interface Ends {
  minRateDescription: string;
  maxRateDescription: string;
}

export type Question = Named &
  (
    | { type: "radiogroup"; choices: readonly Choice[] }
    | { type: "checkbox"; choices: readonly Choice[] }
    | ({ type: "rating"; rateMin: number; rateMax: number } & Ends)
    | ({ type: "slider"; min: number; max: number; step: number } & Ends)
    | { type: "text"; inputType: "text" | "number"; min: number | null; max: number | null }
    | { type: "comment" }
    | { type: "matrix"; columns: readonly Choice[]; rows: readonly Choice[] }
  );

export interface SurveyPage {
  title: string;
  description: string;
  elements: readonly Question[];
}

export interface Survey {
  title: string;
  pages: readonly SurveyPage[];
}

export type Answer = Json | undefined;
export type Answers = Readonly<Record<string, Answer>>;

/** Returns whether a question that must be answered is not. */
export function isMissing(question: Question, answer: Answer): boolean {
  if (!question.isRequired) return false;
  if (answer === undefined || answer === null || answer === "") return true;
  if (Array.isArray(answer)) return answer.length === 0;
  if (question.type !== "matrix") return false;
  const rows = typeof answer === "object" ? answer : {};
  return question.rows.some(({ value }) => !(String(value) in rows));
}

/** Returns the answers that were given, as the server takes them. */
export function toData(answers: Answers): StageData {
  return Object.fromEntries(
    Object.entries(answers).filter(
      (entry): entry is [string, Json] =>
        entry[1] !== undefined && entry[1] !== null && entry[1] !== "",
    ),
  );
}
