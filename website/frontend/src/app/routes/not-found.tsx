import { Link } from "react-router";

import { buttonClass } from "@/components/button";
import { Message } from "@/components/message";
import { Title } from "@/components/title";
import { paths } from "@/config/paths";

export function NotFound() {
  return (
    <>
      <Title>Page not found</Title>
      <Message
        isPage
        title="Page not found"
        action={
          <Link className={buttonClass("action")} to={paths.games}>
            All games
          </Link>
        }
      >
        The address is wrong, or the page has moved. Go back to the list of games.
      </Message>
    </>
  );
}
