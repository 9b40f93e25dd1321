import { Link } from "react-router";

import { buttonClass } from "@/components/button";
import { Message } from "@/components/message";
import { Title } from "@/components/title";
import { paths } from "@/config/paths";

export function NotFound() {
  return (
    <>
      <Title>Not here</Title>
      <Message
        isPage
        title="Nothing stands in this corner"
        action={
          <Link className={buttonClass("action")} to={paths.games}>
            All games
          </Link>
        }
      >
        The address is wrong, or what was here has moved.
      </Message>
    </>
  );
}
