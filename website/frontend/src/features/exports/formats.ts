import type { ExportFormat } from "@/api/client";

/** The formats one can take recordings away in, most asked for first, and who reads them. */
export const FORMATS: readonly { id: ExportFormat; name: string; words: string }[] = [
  { id: "minari", name: "Minari", words: "for minari.load_dataset: offline RL, imitation" },
  { id: "parquet", name: "Parquet", words: "for pandas, DuckDB, BigQuery, Spark" },
  { id: "hf", name: "Hugging Face", words: "for datasets.load_dataset" },
  { id: "lerobot", name: "LeRobot", words: "version 3, with lossless pictures" },
  { id: "rlds", name: "RLDS", words: "for TensorFlow Datasets" },
  { id: "tables", name: "Tables", words: "rows and views for DuckDB and BigQuery, no pictures" },
  { id: "video", name: "Video", words: "lossless H.264, a file for each episode" },
];
