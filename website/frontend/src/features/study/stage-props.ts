import type { StageData, StudyStage } from "@/api/studies";

/** Properties of the component of a stage. */
export interface StageProps<Kind extends StudyStage["kind"]> {
  stage: Extract<StudyStage, { kind: Kind }>;
  isBusy: boolean;
  onAnswer: (data?: StageData) => void;
}
