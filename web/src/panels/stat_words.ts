// The statistics of an interval, in words.
export const kStatHeads: Record<string, string> = {
  count: 'Readings', mean: 'Mean', sd: 'Deviation', min: 'Lowest', q25: 'Lower quarter', median: 'Median',
  q75: 'Upper quarter', max: 'Highest', first: 'First', last: 'Last', change: 'Change',
};
