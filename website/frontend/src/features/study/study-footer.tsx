import { useLingui } from "@lingui/react";
import { useState } from "react";

import { type StudyPage, withdrawFromStudy } from "@/api/studies";
import { Button } from "@/components/button";
import { CopyField } from "@/components/copy-field";
import { paths } from "@/config/paths";

interface Props {
  page: StudyPage;
  /** Token of the participant's own link, or null. */
  resume: string | null;
  onWithdrawn: () => void;
}

/** Contact, the participant's own link, and withdrawal: on every page of a study. */
export function StudyFooter({ page: { study, completion }, resume, onWithdrawn }: Props) {
  const { i18n } = useLingui();
  const [isAsking, setAsking] = useState(false);
  const [error, setError] = useState("");
  const withdraw = async () => {
    try {
      await withdrawFromStudy(study.name);
      onWithdrawn();
    } catch (thrown) {
      setError(thrown instanceof Error ? thrown.message : String(thrown));
    }
  };
  return (
    <footer className="border-t border-line/60">
      <div className="mx-auto max-w-3xl px-4 py-4 text-sm">
        <p className="text-dim">
          {i18n._("Contact:")} <span className="text-ink">{study.contact}</span>
          {study.ethics !== "" && (
            <>
              {" · "}
              {i18n._("Ethics:")} {study.ethics}
            </>
          )}
        </p>
        {study.payment !== null && (
          <p className="text-dim">
            {i18n._(
              "Payment: {amount}, for about {minutes, plural, one {# minute} other {# minutes}}",
              {
                amount: i18n.number(study.payment.amount, {
                  style: "currency",
                  currency: study.payment.currency,
                }),
                minutes: study.payment.minutes,
              },
            )}
          </p>
        )}
        {resume !== null && completion === null && (
          <CopyField
            label={i18n._("Your own link")}
            value={location.origin + paths.study(study.name, resume)}
            testId="own-link"
          >
            {i18n._("With it you can continue later, also on another device.")}
          </CopyField>
        )}
        {isAsking ? (
          <div className="mt-3">
            <p className="font-semibold">
              {i18n._(
                "Withdraw, and delete everything that was recorded of you in this study? This cannot be undone.",
              )}
            </p>
            <div className="mt-2 flex flex-wrap gap-2">
              <Button onClick={() => void withdraw()}>
                {i18n._("Delete everything and withdraw")}
              </Button>
              <Button look="plain" onClick={() => setAsking(false)}>
                {i18n._("Cancel")}
              </Button>
            </div>
          </div>
        ) : (
          <Button look="plain" className="mt-3" onClick={() => setAsking(true)}>
            {i18n._("Withdraw from the study")}
          </Button>
        )}
        {error !== "" && (
          <p role="alert" className="mt-2 font-semibold text-link">
            {error}
          </p>
        )}
      </div>
    </footer>
  );
}
