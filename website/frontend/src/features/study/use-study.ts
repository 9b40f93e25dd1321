import { useCallback, useEffect, useRef, useState } from "react";

import { ApiError } from "@/api/client";
import {
  answerStage,
  forgetOwnLink,
  type JoinedStudy,
  joinStudy,
  ownLinks,
  readStudy,
  type StageData,
  type StudyPage,
} from "@/api/studies";
import { readWantedTag } from "@/lib/language";

const SAVING_POLL_MS = 1000;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export interface Participation {
  /** Null before the server has answered. */
  page: StudyPage | null;
  /** Token of the participant's own link; null if the recruiter's link is it. */
  resume: string | null;
  error: Error | null;
  /** True while an answer is sent, or the last game is still being saved. */
  isBusy: boolean;
  isSaving: boolean;
  /** True if the participation has ended on this page, and not on an earlier visit. */
  hasJustEnded: boolean;
  /** Answers the current stage. It is sent again until all recordings are stored. */
  answer: (data?: StageData) => void;
  /** Reads the current stage again, in the wanted language. */
  reload: () => void;
}

/** Joins a study or continues it, and moves the participant through its stages. */
export function useStudy(name: string): Participation {
  const [page, setPage] = useState<StudyPage | null>(null);
  const [resume, setResume] = useState<string | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [isSaving, setSaving] = useState(false);
  const [hasJustEnded, setJustEnded] = useState(false);
  const stageRef = useRef<string | null>(null);

  const show = useCallback((next: StudyPage) => {
    stageRef.current = next.stage?.name ?? null;
    setPage(next);
  }, []);
  const run = useCallback(
    async (work: () => Promise<StudyPage>, after?: (next: StudyPage) => void) => {
      setBusy(true);
      setError(null);
      try {
        const next = await withSession(name, work);
        show(next);
        after?.(next);
      } catch (thrown) {
        setError(thrown instanceof Error ? thrown : new Error(String(thrown)));
      }
      setBusy(false);
      setSaving(false);
    },
    [name, show],
  );

  useEffect(() => {
    void run(async () => {
      const joined = await join(name);
      setResume(joined.resume);
      return joined.page;
    });
  }, [name, run]);

  const answer = useCallback(
    (data: StageData = {}) => {
      const stage = stageRef.current;
      if (stage === null) return;
      void run(
        async () => {
          for (;;) {
            const next = await answerStage(stage, data, readWantedTag());
            if (!next.is_saving) return next;
            setSaving(true);
            await sleep(SAVING_POLL_MS);
          }
        },
        (next) => setJustEnded(next.completion !== null),
      );
    },
    [run],
  );
  const reload = useCallback(() => void run(() => readStudy(readWantedTag())), [run]);
  return { page, resume, error, isBusy, isSaving, hasJustEnded, answer, reload };
}

const joining = new Map<string, Promise<JoinedStudy>>();

/** Joins once at a time: two requests without a link of one's own would be two participants. */
function join(name: string): Promise<JoinedStudy> {
  const running = joining.get(name);
  if (running !== undefined) return running;
  const request = requestJoin(name).finally(() => joining.delete(name));
  joining.set(name, request);
  return request;
}

/** Joins with the ids in the address and the participant's own link, from the address or stored. */
async function requestJoin(name: string): Promise<JoinedStudy> {
  const query = Object.fromEntries(new URLSearchParams(location.search));
  const given = new URLSearchParams(location.hash.slice(1)).get("resume");
  const language = readWantedTag();
  const stored = ownLinks.get()[name] ?? null;
  try {
    return await joinStudy(name, query, given ?? stored, language);
  } catch (error) {
    // A stored link whose participant has withdrawn elsewhere is of no use.
    if (given !== null || stored === null || !(error instanceof ApiError) || error.status !== 404)
      throw error;
    forgetOwnLink(name);
    return joinStudy(name, query, null, language);
  }
}

/** Joins again if the session has expired, or another page has signed somebody else in. */
async function withSession(name: string, work: () => Promise<StudyPage>): Promise<StudyPage> {
  try {
    return await work();
  } catch (error) {
    const isForeign = error instanceof ApiError && [401, 404].includes(error.status);
    if (!isForeign) throw error;
    await join(name);
    return work();
  }
}
