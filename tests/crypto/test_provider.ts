/**
 * The providers that tests use: the one this runtime's programs have, and each ML-KEM by itself.
 *
 * @module
 */

import { chosenMlKem, runtimeHasMlKem } from "../../lib/crypto/ml_kem_choice.ts";
import type { MlKem } from "../../lib/crypto/ml_kem.ts";
import { nobleMlKem } from "../../lib/crypto/ml_kem_noble.ts";
import { webCryptoMlKem } from "../../lib/crypto/ml_kem_webcrypto.ts";
import { webCryptoProvider } from "../../lib/crypto/webcrypto.ts";
import { skipped, test, type TestBody } from "../sanitized.ts";

/** Why a test of the runtime's ML-KEM is skipped. */
export const MISSING_ML_KEM = "this runtime has no ML-KEM";

/** The provider of this runtime's programs. */
export const provider = webCryptoProvider(await chosenMlKem());

/** Whether tests of the runtime's ML-KEM can run. */
export const HAS_RUNTIME_ML_KEM = await runtimeHasMlKem();

/** Declares one test for each implementation of ML-KEM, by `declare`; the runtime's may be skipped. */
export function bothMlKemsTest(
  name: string,
  body: (mlKem: MlKem) => Promise<void>,
  declare: (name: string, body: TestBody) => void = test,
): void {
  const runtimes = `${name} (the runtime's)`;
  if (HAS_RUNTIME_ML_KEM) declare(runtimes, () => body(webCryptoMlKem));
  else skipped(runtimes, MISSING_ML_KEM);
  declare(`${name} (noble's)`, () => body(nobleMlKem));
}
