/**
 * What one row of the table of metrics says, and the three kinds of rows.
 */

import type { Aggregation, MetricType } from '../kernel/meter.ts';

export interface MetricSpec<Label extends string = string> {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly labels: readonly Label[];
  /** Labels whose values are not enumerated in our own code. */
  readonly open: readonly Label[];
  /** Upper bounds, rising; histograms only. */
  readonly buckets: readonly number[];
  readonly aggregation: Aggregation;
}

export function counter<const Label extends string>(
  name: string,
  help: string,
  labels: readonly Label[],
  open: readonly Label[] = [],
): MetricSpec<Label> & { readonly type: 'counter' } {
  return { name, help, type: 'counter', labels, open, buckets: [], aggregation: 'sum' };
}

export function gauge<const Label extends string>(
  name: string,
  help: string,
  labels: readonly Label[],
  open: readonly Label[] = [],
  aggregation: Aggregation = 'sum',
): MetricSpec<Label> & { readonly type: 'gauge' } {
  return { name, help, type: 'gauge', labels, open, buckets: [], aggregation };
}

export function histogram<const Label extends string>(
  name: string,
  help: string,
  labels: readonly Label[],
  open: readonly Label[],
  buckets: readonly number[],
): MetricSpec<Label> & { readonly type: 'histogram' } {
  return { name, help, type: 'histogram', labels, open, buckets, aggregation: 'sum' };
}
