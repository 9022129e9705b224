/**
 * The public face of the inbound edge.
 */
export {
  type AdminServices,
  type ConfigControl,
  createAdminApp,
  type HealthReader,
} from './admin/index.ts';
export { type BodyCapture, createBodyCapture } from './body-capture.ts';
export { createCrossOrigin } from './cross-origin.ts';
export { createEdge } from './edge.ts';
export { explainRequest, principalOfKey } from './explain-request.ts';
export type { RunningExchange } from './inference.ts';
export { modelRoutes } from './models.ts';
export { placePrompt } from './place-prompt.ts';
export { createOriginReader, type OriginReader } from './request-origin.ts';
export { responseRoutes } from './responses/routes.ts';
export { createThreads } from './responses/threads.ts';
export { answerCodecs, endpointFamilies, inferenceEndpoints } from './routes.ts';
