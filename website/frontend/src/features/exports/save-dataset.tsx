import { useLingui } from "@lingui/react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode, type SubmitEvent } from "react";

import {
  datasetsKey,
  saveDataset,
  type DatasetVersion,
  type SaveDatasetRequest,
} from "@/api/datasets";
import { Button } from "@/components/button";

interface Props {
  userId: string;
  /** Filters of the page, as in its address. */
  filters: string;
  onSaved: (saved: DatasetVersion) => void;
}

const SCOPES: readonly (readonly [SaveDatasetRequest["scope"], string])[] = [
  ["research", /*i18n*/ "Research"],
  ["publication", /*i18n*/ "Publication"],
];
const fieldClass = "h-11 w-full rounded-xl border-2 border-line bg-surface px-3 text-ink";

/** Form that saves the episodes in view as the next version of a dataset. */
export function SaveDataset({ userId, filters, onSaved }: Props) {
  const { i18n } = useLingui();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [title, setTitle] = useState("");
  const [scope, setScope] = useState<SaveDatasetRequest["scope"]>("research");
  const save = useMutation({
    mutationFn: () => saveDataset({ name, title, scope, filters }),
    onSuccess: async (saved) => {
      await client.invalidateQueries({ queryKey: datasetsKey(userId) });
      onSaved(saved);
    },
  });
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form onSubmit={send} aria-label={i18n._("Save a dataset")} className="grid gap-4">
      <p className="max-w-prose text-pretty text-dim">
        {i18n._(
          "Saves the episodes that the charts show with these filters. A version never changes: every download of it has the same bytes and the same pseudonyms.",
        )}
      </p>
      <div className="grid gap-x-6 gap-y-4 sm:grid-cols-3">
        <Labelled name={i18n._("Name")}>
          <input
            className={fieldClass}
            required
            maxLength={60}
            pattern="[a-z0-9]([a-z0-9\-]*[a-z0-9])?"
            title={i18n._("a to z, 0 to 9 and hyphens")}
            placeholder={"breakout-people"}
            value={name}
            onChange={({ target }) => setName(target.value)}
          />
        </Labelled>
        <Labelled name={i18n._("Title (optional)")}>
          <input
            className={fieldClass}
            maxLength={200}
            value={title}
            onChange={({ target }) => setTitle(target.value)}
          />
        </Labelled>
        <Labelled name={i18n._("For")}>
          <select
            className={fieldClass}
            value={scope}
            onChange={({ target }) =>
              setScope(target.value === "publication" ? "publication" : "research")
            }
          >
            {SCOPES.map(([id, label]) => (
              <option key={id} value={id}>
                {i18n._(label)}
              </option>
            ))}
          </select>
        </Labelled>
      </div>
      <Button type="submit" disabled={save.isPending} className="justify-self-start">
        {save.isPending ? i18n._("Saving…") : i18n._("Save dataset")}
      </Button>
      <div aria-live="polite">
        {save.isError && (
          <p role="alert" className="font-semibold text-link">
            {save.error.message}
          </p>
        )}
        {save.isSuccess && (
          <p>
            {i18n._("Saved {dataset_name}@{number}.", {
              dataset_name: save.data.dataset_name,
              number: save.data.number,
            })}
          </p>
        )}
      </div>
    </form>
  );
}

function Labelled({ name, children }: { name: string; children: ReactNode }) {
  return (
    <label className="grid content-start gap-1.5 font-bold">
      {name}
      {children}
    </label>
  );
}
