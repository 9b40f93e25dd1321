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
  ["research", "Research"],
  ["publication", "Publication"],
];
const fieldClass = "h-11 w-full rounded-xl border-2 border-line bg-surface px-3 text-ink";

/** Form that saves the episodes in view as the next version of a dataset. */
export function SaveDataset({ userId, filters, onSaved }: Props) {
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
    <form onSubmit={send} aria-label="Save a dataset" className="grid gap-4">
      <p className="max-w-prose text-pretty text-dim">
        Saves the episodes that the charts show with these filters. A version never changes: every
        download of it has the same bytes and the same pseudonyms.
      </p>
      <div className="grid gap-x-6 gap-y-4 sm:grid-cols-3">
        <Labelled name="Name">
          <input
            className={fieldClass}
            required
            maxLength={60}
            pattern="[a-z0-9]([a-z0-9\-]*[a-z0-9])?"
            title="a to z, 0 to 9 and hyphens"
            placeholder="breakout-people"
            value={name}
            onChange={({ target }) => setName(target.value)}
          />
        </Labelled>
        <Labelled name="Title (optional)">
          <input
            className={fieldClass}
            maxLength={200}
            value={title}
            onChange={({ target }) => setTitle(target.value)}
          />
        </Labelled>
        <Labelled name="For">
          <select
            className={fieldClass}
            value={scope}
            onChange={({ target }) =>
              setScope(target.value === "publication" ? "publication" : "research")
            }
          >
            {SCOPES.map(([id, label]) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
          </select>
        </Labelled>
      </div>
      <Button type="submit" disabled={save.isPending} className="justify-self-start">
        {save.isPending ? "Saving…" : "Save dataset"}
      </Button>
      <div aria-live="polite">
        {save.isError && (
          <p role="alert" className="font-semibold text-link">
            {save.error.message}
          </p>
        )}
        {save.isSuccess && (
          <p>
            Saved {save.data.dataset_name}@{save.data.number}.
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
