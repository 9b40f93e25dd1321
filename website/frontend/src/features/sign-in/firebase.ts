import { i18n } from "@/lib/i18n";
// Large module: imported on demand as a separate chunk.
import { FirebaseError, initializeApp } from "@firebase/app";
import {
  type Auth,
  type AuthCredential,
  EmailAuthProvider,
  GoogleAuthProvider,
  browserLocalPersistence,
  connectAuthEmulator,
  deleteUser,
  indexedDBLocalPersistence,
  initializeAuth,
  linkWithCredential,
  sendSignInLinkToEmail,
  signInAnonymously,
  signInWithCredential,
  signOut,
} from "@firebase/auth";

import type { FirebaseMethod } from "@/api/client";

/** Sign-in failed. The message is shown to the user. */
export class SignInError extends Error {
  override name = "SignInError";
}

const ERROR_MESSAGES: Record<string, string> = {
  "auth/network-request-failed":
    /*i18n*/ "Cannot reach Google. Check your connection and try again.",
  "auth/too-many-requests": /*i18n*/ "Too many attempts. Try again in a few minutes.",
  "auth/quota-exceeded":
    /*i18n*/ "The e-mail quota for today is used up. Use another sign-in method.",
  "auth/invalid-email": /*i18n*/ "This is not a valid e-mail address.",
  "auth/missing-email": /*i18n*/ "This is not a valid e-mail address.",
  "auth/invalid-action-code":
    /*i18n*/ "This link has expired or was already used. Request a new one.",
  "auth/expired-action-code":
    /*i18n*/ "This link has expired or was already used. Request a new one.",
  "auth/user-disabled": /*i18n*/ "This account is disabled. Contact the operator of this site.",
  "auth/admin-restricted-operation": /*i18n*/ "This sign-in method is disabled. Use another one.",
  "auth/operation-not-allowed": /*i18n*/ "This sign-in method is disabled. Use another one.",
};

/** The credential belongs to another account, so it cannot be linked to this guest. */
const ACCOUNT_EXISTS_CODES = ["auth/credential-already-in-use", "auth/email-already-in-use"];

/** The Firebase account of this browser. Methods throw SignInError. */
export class Firebase {
  readonly #auth: Auth;

  private constructor(auth: Auth) {
    this.#auth = auth;
  }

  /** Starts the SDK and waits for the stored sign-in state. */
  static async open(method: FirebaseMethod): Promise<Firebase> {
    const app = initializeApp({ apiKey: method.api_key, projectId: method.project_id });
    const persistence = [indexedDBLocalPersistence, browserLocalPersistence];
    const auth = initializeAuth(app, { persistence });
    if (method.emulator !== null)
      connectAuthEmulator(auth, method.emulator, { disableWarnings: true });
    await auth.authStateReady();
    return new Firebase(auth);
  }

  /** E-mail of the current account; null for a guest, undefined if nobody is signed in. */
  get currentEmail(): string | null | undefined {
    const user = this.#auth.currentUser;
    return user === null ? undefined : user.email;
  }

  /** Returns the ID token of the current account. */
  async getIdToken(): Promise<string> {
    const user = this.#auth.currentUser;
    if (user === null) throw new SignInError(i18n._("You are not signed in. Sign in again."));
    // Forces a refresh, because the token of an upgraded guest has no e-mail yet.
    return withSignInErrors(user.getIdToken(true));
  }

  async signInAsGuest(): Promise<void> {
    await withSignInErrors(signInAnonymously(this.#auth));
  }

  async signInWithGoogle(idToken: string): Promise<void> {
    await this.#signIn(GoogleAuthProvider.credential(idToken));
  }

  /** Sends a sign-in link that leads to `back`. */
  async sendSignInLink(email: string, back: string): Promise<void> {
    await withSignInErrors(
      sendSignInLinkToEmail(this.#auth, email, { url: back, handleCodeInApp: true }),
    );
  }

  async signInWithLink(email: string, link: string): Promise<void> {
    await this.#signIn(EmailAuthProvider.credentialWithLink(email, link));
  }

  async signOut(): Promise<void> {
    await signOut(this.#auth);
  }

  /**
   * Deletes the account. Returns false if Firebase requires a recent sign-in; the account is then
   * only signed out.
   */
  async deleteAccount(): Promise<boolean> {
    const user = this.#auth.currentUser;
    try {
      if (user !== null) await deleteUser(user);
      return true;
    } catch (error) {
      if (!(error instanceof FirebaseError)) throw error;
      await signOut(this.#auth);
      return false;
    }
  }

  /**
   * Links a guest to the credential and keeps the recordings, unless the credential has an account
   * already.
   */
  async #signIn(credential: AuthCredential): Promise<void> {
    const user = this.#auth.currentUser;
    if (user?.isAnonymous === true) {
      try {
        await linkWithCredential(user, credential);
        return;
      } catch (error) {
        if (!(error instanceof FirebaseError && ACCOUNT_EXISTS_CODES.includes(error.code)))
          throw toSignInError(error);
      }
    }
    await withSignInErrors(signInWithCredential(this.#auth, credential));
  }
}

async function withSignInErrors<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw toSignInError(error);
  }
}

function toSignInError(error: unknown): unknown {
  if (!(error instanceof FirebaseError)) return error;
  const known = ERROR_MESSAGES[error.code];
  const message =
    known === undefined
      ? i18n._("Sign-in failed ({code}). Try again.", { code: error.code })
      : i18n._(known);
  return new SignInError(message, { cause: error });
}
