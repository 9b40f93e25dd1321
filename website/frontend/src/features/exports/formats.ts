import type { ExportFormat } from "@/api/client";

/** Export formats, most requested first, and the tools that read them. */
export const FORMATS: readonly { id: ExportFormat; name: string; description: string }[] = [
  { id: "minari", name: "Minari", description: "for minari.load_dataset: offline RL, imitation" },
  { id: "parquet", name: "Parquet", description: "for pandas, DuckDB, BigQuery, Spark" },
  { id: "hf", name: "Hugging Face", description: "for datasets.load_dataset" },
  { id: "lerobot", name: "LeRobot", description: "version 3, with lossless pictures" },
  { id: "rlds", name: "RLDS", description: "for TensorFlow Datasets" },
  {
    id: "tables",
    name: "Tables",
    description: "rows and views for DuckDB and BigQuery, no pictures",
  },
  { id: "video", name: "Video", description: "lossless H.264, a file for each episode" },
];
