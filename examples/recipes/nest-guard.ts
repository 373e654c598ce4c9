/*
 * NestJS, on its Express platform: a guard for every route, scopes by a decorator, the caller as a
 * parameter.
 *
 *   @Controller('uploads')
 *   class UploadsController {
 *     @Post()
 *     @Scopes('audio:write')
 *     upload(@Caller() caller: ApiKey) {
 *       return { user: caller.user };
 *     }
 *   }
 *
 *   @Module({
 *     controllers: [UploadsController],
 *     providers: [
 *       { provide: KEY_SOURCE, useValue: keys },
 *       { provide: APP_GUARD, useClass: ApiKeyGuard },
 *       { provide: APP_FILTER, useClass: RefusalFilter },
 *     ],
 *   })
 *   export class AppModule {}
 *
 * For some controllers alone: `@UseGuards(ApiKeyGuard) @UseFilters(RefusalFilter)` on them in place
 * of the two `APP_` providers. Without the filter a refusal is still one, but answered 500.
 */
import {
  Catch,
  createParamDecorator,
  Inject,
  Injectable,
  SetMetadata,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import {
  ApiKeyError,
  apiKeyOf,
  requireApiKey,
  respondWithProblem,
  type ApiKeyHandler,
  type RequireApiKeyOptions,
} from 'require-api-key';

/** What the guard asks for keys is provided under this token. */
export const KEY_SOURCE = Symbol('KEY_SOURCE');

const SCOPES = 'require-api-key:scopes';

/** Scopes that a key needs here, on a controller or a route; with both, it needs all of them. */
export const Scopes = (...scopes: [string, ...string[]]) => SetMetadata(SCOPES, scopes);

/** Who calls, as a parameter of a guarded route. */
export const Caller = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  apiKeyOf(context.switchToHttp().getRequest<Request>()),
);

@Injectable()
export class ApiKeyGuard implements CanActivate {
  readonly #guards = new Map<string, ApiKeyHandler>();

  // By explicit tokens: compilers other than `tsc` do not tell Nest the types of parameters.
  constructor(
    @Inject(KEY_SOURCE) private readonly source: NonNullable<RequireApiKeyOptions['source']>,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    // An app-wide guard is asked about gateways and resolvers too. What it cannot read a header
    // from, it does not let pass.
    if (context.getType() !== 'http') return false;
    const places = [context.getHandler(), context.getClass()];
    const guard = this.#guardFor(this.reflector.getAllAndMerge<string[]>(SCOPES, places));
    const http = context.switchToHttp();
    await new Promise<void>((resolve, reject) => {
      guard(http.getRequest<Request>(), http.getResponse<Response>(), (refusal) =>
        refusal === undefined ? resolve() : reject(refusal),
      );
    });
    return true;
  }

  #guardFor(scopes: string[]): ApiKeyHandler {
    const name = scopes.join(' ');
    let guard = this.#guards.get(name);
    if (!guard) {
      guard = requireApiKey({
        source: this.source,
        scopes,
        // To Nest: its filters, interceptors and logs see the refusal as it is.
        onRefused: (error, _req, _res, next) => next(error),
      });
      this.#guards.set(name, guard);
    }
    return guard;
  }
}

/** Answers refusals as everywhere: status, challenge, problem details. */
@Catch(ApiKeyError)
export class RefusalFilter implements ExceptionFilter<ApiKeyError> {
  catch(error: ApiKeyError, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    respondWithProblem(error, http.getRequest<Request>(), http.getResponse<Response>(), () => {});
  }
}
