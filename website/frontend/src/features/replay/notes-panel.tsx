import { useLingui } from "@lingui/react";
import { useMutation, type UseQueryResult, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useId, useState } from "react";

import type { Note, Notes } from "@/api/replay";
import { Button } from "@/components/button";

import { type ReplayModel, usePlayerState } from "./use-replay";

export const notesKey = (episodeId: string) => ["episodes", "notes", episodeId];

interface Props {
  model: ReplayModel;
  notes: UseQueryResult<Notes>;
}

const fieldClass = "w-full rounded-xl border border-line bg-surface px-3 py-2";
const tagName = (tag: string) => tag.replaceAll("-", " ");

/** Notes on the episode, and a form for a new one on the frame or on the range that loops. */
export function NotesPanel({ model, notes }: Props) {
  const { i18n } = useLingui();
  const { client, player } = model;
  const queries = useQueryClient();
  const refresh = () => queries.invalidateQueries({ queryKey: notesKey(client.episodeId) });
  const retracting = useMutation({ mutationFn: client.retractNote, onSuccess: refresh });
  if (notes.data === undefined) {
    return <p className="text-sm text-dim">{notes.error?.message ?? i18n._("Loading…")}</p>;
  }
  const valid = notes.data.notes.filter(({ time_retracted: retracted }) => retracted === null);
  const retracted = notes.data.notes.length - valid.length;
  return (
    <>
      {valid.length > 0 && (
        <ul aria-label={i18n._("Notes")} className="mb-4 grid gap-2" data-testid="notes">
          {valid.map((note) => (
            <NoteItem
              key={note.id}
              note={note}
              onOpen={() => openNote(model, note)}
              onRetract={() => retracting.mutate(note.id)}
              isBusy={retracting.isPending}
            />
          ))}
        </ul>
      )}
      {retracted > 0 && (
        <p className="mb-3 text-sm text-dim">{i18n._("{retracted} retracted", { retracted })}</p>
      )}
      <NoteForm
        model={model}
        notes={notes.data}
        onWritten={() => void refresh()}
        key={player.lastFrame}
      />
    </>
  );
}

function openNote({ player }: ReplayModel, { step_from: from, step_to: to }: Note): void {
  player.pause();
  player.setLoop(to - from > 1 ? { from, to: to - 1 } : null);
  void player.seek(from);
}

interface NoteItemProps {
  note: Note;
  onOpen: () => void;
  onRetract: () => void;
  isBusy: boolean;
}

function NoteItem({ note, onOpen, onRetract, isBusy }: NoteItemProps) {
  const { i18n } = useLingui();
  const { step_from: from, step_to: to } = note;
  const range = to - from > 1 ? `${String(from)}–${String(to - 1)}` : String(from);
  return (
    <li className="rounded-xl bg-raised p-3 text-sm">
      <div className="flex flex-wrap items-center gap-2">
        <button type="button" className="rounded font-bold text-link underline" onClick={onOpen}>
          {i18n._("Frame {range}", { range })}
        </button>
        {note.tag !== null && (
          <span className="rounded-full bg-pink px-2.5 py-0.5 font-bold text-on-bright">
            {tagName(note.tag)}
          </span>
        )}
        <span className="ml-auto text-dim">{note.is_own ? i18n._("you") : note.author_role}</span>
      </div>
      {note.text !== "" && <p className="mt-1.5 break-words whitespace-pre-wrap">{note.text}</p>}
      {note.is_own && (
        <button
          type="button"
          disabled={isBusy}
          onClick={onRetract}
          className="mt-1.5 rounded text-dim underline hover:text-ink"
        >
          {i18n._("Retract")}
        </button>
      )}
    </li>
  );
}

interface NoteFormProps {
  model: ReplayModel;
  notes: Notes;
  onWritten: () => void;
}

function NoteForm({ model: { client, player }, notes, onWritten }: NoteFormProps) {
  const { i18n } = useLingui();
  const { frame, loop } = usePlayerState(player);
  const [tag, setTag] = useState("");
  const [text, setText] = useState("");
  const [tagField, textField] = [useId(), useId()];
  const range = loop ?? { from: frame, to: frame };
  const writing = useMutation({
    mutationFn: client.writeNote,
    onSuccess: () => {
      setTag("");
      setText("");
      onWritten();
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    player.pause();
    writing.mutate({
      step_from: range.from,
      step_to: range.to + 1,
      tag: tag === "" ? null : tag,
      text,
    });
  };
  return (
    <form onSubmit={submit} className="grid gap-2 text-sm">
      <label htmlFor={tagField} className="sr-only">
        {i18n._("Tag")}
      </label>
      <select
        id={tagField}
        value={tag}
        onChange={(event) => setTag(event.target.value)}
        className={`${fieldClass} min-h-10`}
      >
        <option value="">{i18n._("No tag")}</option>
        {notes.tags.map(({ name, meaning }) => (
          <option key={name} value={name} title={meaning}>
            {tagName(name)}
          </option>
        ))}
      </select>
      {tag !== "" && (
        <p className="text-dim">{notes.tags.find(({ name }) => name === tag)?.meaning}</p>
      )}
      <label htmlFor={textField} className="sr-only">
        {i18n._("Note")}
      </label>
      <textarea
        id={textField}
        rows={2}
        maxLength={2000}
        value={text}
        placeholder={i18n._("What happens here?")}
        onChange={(event) => setText(event.target.value)}
        className={`${fieldClass} placeholder:text-dim`}
      />
      <Button
        type="submit"
        look="plain"
        disabled={writing.isPending || (tag === "" && text.trim() === "")}
      >
        {loop === null
          ? i18n._("Add note at frame {frame}", { frame: String(frame) })
          : i18n._("Add note on frames {from}–{to}", {
              from: String(range.from),
              to: String(range.to),
            })}
      </Button>
      {writing.isError && (
        <p role="alert" className="font-semibold text-link">
          {writing.error.message}
        </p>
      )}
    </form>
  );
}
