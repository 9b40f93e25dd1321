import { I18nProvider } from "@lingui/react";
import { render, type RenderResult } from "@testing-library/react";
import type { ReactNode } from "react";

import { i18n } from "@/lib/i18n";

/** Renders with the texts of the page's language. */
export const renderWithTexts = (children: ReactNode): RenderResult =>
  render(children, { wrapper: (props) => <I18nProvider i18n={i18n} {...props} /> });
