// Heavy: imported only where one signs in by Firebase, in a chunk of its own.
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

/** Signing in is refused, in words for people. */
export class SignInError extends Error {
  override name = "Refused";
}

const ERROR_MESSAGES: Record<string, string> = {
  "auth/network-request-failed": "Google does not answer. Try again in a moment.",
  "auth/too-many-requests": "Too many tries from here. Try again in a few minutes.",
  "auth/quota-exceeded": "No more mail can be sent today. Sign in another way.",
  "auth/invalid-email": "That is not an e-mail address.",
  "auth/missing-email": "That is not an e-mail address.",
  "auth/invalid-action-code": "This link was used before or is too old. Ask for a new one.",
  "auth/expired-action-code": "This link was used before or is too old. Ask for a new one.",
  "auth/user-disabled": "This account is closed here.",
  "auth/admin-restricted-operation": "This way to sign in is switched off here.",
  "auth/operation-not-allowed": "This way to sign in is switched off here.",
};

/** The account is somebody's already, so a guest can't become it. */
const ACCOUNT_EXISTS_CODES = ["auth/credential-already-in-use", "auth/email-already-in-use"];

/** The Firebase accounts of this browser. Every method may throw Refused. */
export class Firebase {
  readonly #auth: Auth;

  private constructor(auth: Auth) {
    this.#auth = auth;
  }

  /** Starts the SDK and waits until it knows who was signed in here before. */
  static async open(method: FirebaseMethod): Promise<Firebase> {
    const app = initializeApp({ apiKey: method.api_key, projectId: method.project_id });
    const persistence = [indexedDBLocalPersistence, browserLocalPersistence];
    const auth = initializeAuth(app, { persistence });
    if (method.emulator !== null)
      connectAuthEmulator(auth, method.emulator, { disableWarnings: true });
    await auth.authStateReady();
    return new Firebase(auth);
  }

  /** Who was signed in here before: an e-mail, or null of a guest; undefined: nobody. */
  get currentEmail(): string | null | undefined {
    const user = this.#auth.currentUser;
    return user === null ? undefined : user.email;
  }

  /** ID token of who is signed in now. */
  async getIdToken(): Promise<string> {
    const user = this.#auth.currentUser;
    if (user === null) throw new SignInError("Nobody is signed in.");
    // Anew, since a guest who has just given an e-mail holds a token without it.
    return withSignInErrors(user.getIdToken(true));
  }

  async signInAsGuest(): Promise<void> {
    await withSignInErrors(signInAnonymously(this.#auth));
  }

  async signInWithGoogle(idToken: string): Promise<void> {
    await this.#signIn(GoogleAuthProvider.credential(idToken));
  }

  /** Mails a link that leads to `back`. */
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

  /** Deletes the account. False: Google wants a newer sign-in for that; then it is only left. */
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

  /** A guest becomes the account's owner and keeps what was played, unless that account is there already. */
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
  const message =
    ERROR_MESSAGES[error.code] ?? `Signing in did not work (${error.code}). Try again.`;
  return new SignInError(message, { cause: error });
}
