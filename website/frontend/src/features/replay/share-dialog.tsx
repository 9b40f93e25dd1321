import { useLingui } from "@lingui/react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { shareUrl } from "@/api/replay";
import { Button } from "@/components/button";
import { CopyField } from "@/components/copy-field";
import { formatTimeAgo } from "@/lib/format";

import { Dialog } from "./dialog";
import type { ReplayModel } from "./use-replay";

interface Props {
  model: ReplayModel;
  /** Parameters of the viewer for the link, with `?`. */
  view: string;
  onClose: () => void;
}

/** Makes, copies and revokes links that share the episode. */
export function ShareDialog({ model: { client }, view, onClose }: Props) {
  const { i18n } = useLingui();
  const queries = useQueryClient();
  const queryKey = ["episodes", "shares", client.episodeId];
  const shares = useQuery({ queryKey, queryFn: ({ signal }) => client.shares(signal) });
  const refresh = () => queries.invalidateQueries({ queryKey });
  const making = useMutation({ mutationFn: client.share, onSuccess: refresh });
  const revoking = useMutation({ mutationFn: client.revokeShare, onSuccess: refresh });
  const valid = shares.data?.filter(({ time_revoked: revoked }) => revoked === null) ?? [];
  const error = making.error ?? revoking.error ?? shares.error;
  const isRevoked = making.data !== undefined && revoking.variables === making.data.id;
  return (
    <Dialog title={i18n._("Share this replay")} onClose={onClose}>
      <p className="text-pretty text-dim">
        {i18n._(
          "Anyone who has the link can watch this episode, with its scores, keys and times, but without your name or device. You can revoke a link at any time. Deleting your account removes all links.",
        )}
      </p>
      {making.data !== undefined && !isRevoked ? (
        <CopyField
          label={i18n._("New link")}
          value={shareUrl(making.data, view)}
          testId="share-link"
        >
          {i18n._("The link is shown only now; you can always make another one.")}
        </CopyField>
      ) : (
        <Button className="mt-5" disabled={making.isPending} onClick={() => making.mutate()}>
          {making.isPending ? i18n._("Making…") : i18n._("Make a link")}
        </Button>
      )}
      {error !== null && (
        <p role="alert" className="mt-4 font-semibold text-link">
          {error.message}
        </p>
      )}
      {valid.length > 0 && (
        <>
          <h3 className="mt-6 text-xl sign">{i18n._("Valid links")}</h3>
          <ul className="mt-2 divide-y divide-line/60 border-y border-line/60">
            {valid.map(({ id, time_created: created }) => (
              <li key={id} className="flex items-center gap-4 py-2">
                <span className="flex-1">
                  {i18n._("Made {when}", { when: formatTimeAgo(created, shares.dataUpdatedAt) })}
                  {id === making.data?.id && (
                    <span className="text-dim"> {i18n._("(this one)")}</span>
                  )}
                </span>
                <Button
                  look="plain"
                  disabled={revoking.isPending}
                  onClick={() => revoking.mutate(id)}
                >
                  {i18n._("Revoke")}
                </Button>
              </li>
            ))}
          </ul>
        </>
      )}
    </Dialog>
  );
}
