/*
 * NestJS, on its Express platform: a guard for controllers and routes.
 *
 *   export class AudioGuard extends ApiKeyGuard {
 *     constructor(keys: ApiKeyManager) { super({ source: keys, scopes: ['audio:write'] }); }
 *   }
 *   @UseGuards(AudioGuard) @Post() upload(@Req() req: Request) { return apiKeyOf(req).user; }
 *
 * Nest knows guards by their shape, so nothing of it is imported. Refusals are answered as everywhere: problem details, challenge.
 */
import type { Request, Response } from 'express';
import { requireApiKey, type ApiKeyHandler, type RequireApiKeyOptions } from 'require-api-key';

/** What is used of Nest's `ExecutionContext`. */
interface HttpContext {
  switchToHttp(): { getRequest(): Request; getResponse(): Response };
}

export class ApiKeyGuard {
  readonly #guard: ApiKeyHandler;

  constructor(options?: RequireApiKeyOptions) {
    this.#guard = requireApiKey(options);
  }

  canActivate(context: HttpContext): Promise<boolean> {
    const http = context.switchToHttp();
    const res = http.getResponse();
    return new Promise((resolve, reject) => {
      // Once a refusal has been sent, `false` ends the matter: Nest adds nothing to an answer that is complete.
      res.once('close', () => resolve(false));
      this.#guard(http.getRequest(), res, (error) => (error === undefined ? resolve(true) : reject(error)));
    });
  }
}
