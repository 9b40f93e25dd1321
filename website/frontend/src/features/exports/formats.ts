import type { ExportFormat } from "@/api/client";

/** Export formats, most requested first, and the tools that read them. */
export const FORMATS: readonly { id: ExportFormat; name: string; description: string }[] = [
  {
    id: "minari",
    name: "Minari",
    description: /*i18n*/ "for minari.load_dataset: offline RL, imitation",
  },
  { id: "parquet", name: "Parquet", description: /*i18n*/ "for pandas, DuckDB, BigQuery, Spark" },
  { id: "hf", name: "Hugging Face", description: /*i18n*/ "for datasets.load_dataset" },
  { id: "lerobot", name: "LeRobot", description: /*i18n*/ "version 3, with lossless pictures" },
  { id: "rlds", name: "RLDS", description: /*i18n*/ "for TensorFlow Datasets" },
  {
    id: "tables",
    name: /*i18n*/ "Tables",
    description: /*i18n*/ "rows and views for DuckDB and BigQuery, no pictures",
  },
  {
    id: "video",
    name: /*i18n*/ "Video",
    description: /*i18n*/ "lossless H.264, a file for each episode",
  },
];
