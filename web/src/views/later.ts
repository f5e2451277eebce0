// What a first visit does not need at once, in one piece: it comes while the overview is looked at.
export { PageView } from '../page/page_view';
export { Alert } from './alert';
export { Alerts } from './alerts';
export { Live } from './live';
export { Refused } from './refused';
export { Settings } from './settings';
export { Thing } from './thing';
export { ThingCharts } from './thing_charts';
export { Things } from './things';
