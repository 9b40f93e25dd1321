import { useLingui } from "@lingui/react";
import { Link } from "react-router";

import { buttonClass } from "@/components/button";
import { Message } from "@/components/message";
import { Title } from "@/components/title";
import { paths } from "@/config/paths";

export function NotFound() {
  const { i18n } = useLingui();
  return (
    <>
      <Title>{i18n._("Page not found")}</Title>
      <Message
        isPage
        title={i18n._("Page not found")}
        action={
          <Link className={buttonClass("action")} to={paths.games}>
            {i18n._("All games")}
          </Link>
        }
      >
        {i18n._("The address is wrong, or the page has moved. Go back to the list of games.")}
      </Message>
    </>
  );
}
