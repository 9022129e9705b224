/**
 * The list of models in OpenAI's shape, which everybody gets whose headers say nothing else.
 */
import type { ModelListing } from '../../gateway/index.ts';
import type { ModelShape } from '../model-shape.ts';
import { openaiWriter } from './writer.ts';

export const openaiModels: ModelShape = {
  writer: openaiWriter,
  isAsked: () => true,
  list: (listings) => ({ object: 'list', data: listings.map(modelOf) }),
  one: modelOf,
};

function modelOf(listing: ModelListing) {
  return {
    id: listing.name,
    object: 'model',
    created: listing.createdSeconds,
    owned_by: listing.ownedBy,
  };
}
