interface Props {
  label: string;
  columns: readonly string[];
  /** Key, first cell and the other cells of each row. */
  rows: readonly { key: string; name: React.ReactNode; cells: readonly React.ReactNode[] }[];
}

/** A table of numbers by name. It scrolls sideways on narrow screens. */
export function DataTable({ label, columns, rows }: Props) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keys
    <div className="mt-4 overflow-x-auto" role="region" aria-label={label} tabIndex={0}>
      <table className="w-full min-w-xl border-y border-line/60 text-right">
        <thead className="text-dim">
          <tr className="border-b border-line/60">
            {columns.map((name) => (
              <th
                key={name}
                scope="col"
                className="py-3 pl-4 font-semibold first:pl-0 first:text-left"
              >
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, name, cells }) => (
            <tr key={key} className="border-b border-line/60 last:border-0">
              <th scope="row" className="py-3 text-left text-lg">
                {name}
              </th>
              {cells.map((cell, column) => (
                <td key={column} className="pl-4">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
