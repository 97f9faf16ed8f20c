// The part of ECharts that the pages use: lines, bars, a grid, a tooltip, a marked line. Canvas only.
import { BarChart, LineChart } from "echarts/charts";
import { AxisPointerComponent, GridComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

echarts.use([BarChart, LineChart, AxisPointerComponent, GridComponent, MarkLineComponent, TooltipComponent, CanvasRenderer]);
export const init = echarts.init;
