/**
 * Goal: no published figure is wrong because of its arithmetic. Method: the benchmark's pure
 * helpers against values worked out by hand; percentiles also against their definition, with
 * random samples (fast-check prints the seed of a failure).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { drawArrivals } from '../../../../bench/actors/load/open-loop.ts';
import {
  median,
  pairedDifference,
  pairedRatio,
  percentile,
  ratio,
  summarise,
} from '../../../../bench/measure/stats.ts';

const oneToHundred = Array.from({ length: 100 }, (_, index) => index + 1);

describe('percentile', () => {
  it('is the smallest value with that share of all values at or below it', () => {
    assert.equal(percentile(oneToHundred, 50), 50);
    assert.equal(percentile(oneToHundred, 99), 99);
    assert.equal(percentile(oneToHundred, 100), 100);
    assert.equal(percentile([10, 20, 30], 50), 20);
    assert.equal(percentile([10, 20, 30], 99), 30);
  });

  it('does not step over a rank that a rounding error puts just above a whole number', () => {
    assert.equal(percentile(oneToHundred, 7), 7);
    assert.equal(percentile(oneToHundred, 29), 29);
  });

  it('is the one value of a single sample and nothing of an empty one', () => {
    assert.equal(percentile([4], 0.1), 4);
    assert.equal(percentile([], 50), null);
  });

  it('refuses a share outside of (0, 100]', () => {
    assert.throws(() => percentile([1], 0), RangeError);
    assert.throws(() => percentile([1], 100.1), RangeError);
    assert.throws(() => percentile([1], Number.NaN), RangeError);
  });

  it('leaves at least the share at or below and less than the share strictly below', () => {
    const samples = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(samples, fc.integer({ min: 1, max: 100 }), (values, percent) => {
        const sorted = Float64Array.from(values).sort();
        const found = percentile(sorted, percent);
        assert.ok(found !== null);
        const atOrBelow = values.filter((value) => value <= found).length;
        const below = values.filter((value) => value < found).length;
        assert.ok(atOrBelow * 100 >= percent * values.length);
        assert.ok(below * 100 < percent * values.length);
      }),
    );
  });
});

describe('median', () => {
  it('is the middle value of an odd count, whatever the order', () => {
    assert.equal(median([9, 1, 5]), 5);
  });

  it('is the mean of the two middle values of an even count', () => {
    assert.equal(median([10, 1, 4, 100]), 7);
  });

  it('compares numbers, not their spelling', () => {
    assert.equal(median([100, 9, 20]), 20);
  });

  it('is nothing where there is nothing', () => {
    assert.equal(median([]), null);
  });

  it('leaves its input as it was', () => {
    const values = [3, 1, 2];
    median(values);
    assert.deepEqual(values, [3, 1, 2]);
  });
});

describe('ratio', () => {
  it('divides the part by the whole', () => {
    assert.equal(ratio(90, 60), 1.5);
  });

  it('is nothing where a side is missing or the whole is zero', () => {
    assert.equal(ratio(null, 60), null);
    assert.equal(ratio(90, null), null);
    assert.equal(ratio(90, 0), null);
  });
});

describe('summarise', () => {
  it('gives the median, the range and the raw values in the order of the rounds', () => {
    assert.deepEqual(summarise([12, 10, 17]), { median: 12, min: 10, max: 17, raw: [12, 10, 17] });
  });

  it('leaves out rounds without a value and is nothing where none is left', () => {
    assert.deepEqual(summarise([null, 8, null]), { median: 8, min: 8, max: 8, raw: [8] });
    assert.equal(summarise([null, null]), null);
  });
});

describe('comparison by round', () => {
  it('divides within a round before it takes the median', () => {
    // The ratio of the medians would be 20 / 20 = 1.
    assert.equal(pairedRatio([20, 10, 60], [10, 20, 30])?.median, 2);
  });

  it('subtracts within a round before it takes the median', () => {
    // The difference of the medians would be 8 - 3 = 5.
    assert.equal(pairedDifference([5, 8, 9], [1, 7, 3])?.median, 4);
  });

  it('leaves out a round that one side is missing', () => {
    assert.deepEqual(pairedRatio([20, null, 90], [10, 20])?.raw, [2]);
    assert.deepEqual(pairedDifference([null, 8], [1, 7])?.raw, [1]);
  });
});

describe('drawArrivals', () => {
  it('gives the same ascending times for the same seed, and others for another', () => {
    const wish = { ratePerSecond: 500, durationMs: 2000, seed: 7 };
    const arrivals = drawArrivals(wish);
    assert.deepEqual(drawArrivals(wish), arrivals);
    assert.notDeepEqual(drawArrivals({ ...wish, seed: 8 }), arrivals);
    assert.deepEqual(
      arrivals,
      arrivals.toSorted((a, b) => a - b),
    );
    assert.ok(arrivals.every((atMs) => atMs >= 0 && atMs < 2000));
  });

  it('comes close to the rate that was asked for', () => {
    const { length } = drawArrivals({ ratePerSecond: 1000, durationMs: 10_000, seed: 1 });
    // 10 000 expected; five standard deviations of a Poisson count are 500.
    assert.ok(length > 9500 && length < 10_500, `${length} arrivals`);
  });
});
