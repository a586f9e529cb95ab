import React from "react";
import { Button } from "./button";

export function Widget({ title }: Props) {
  const [open, setOpen] = useState<boolean>(false);
  return (
    <Button onClick={() => setOpen(!open)} label="main_label" {...rest}>
      <UI.Panel title={title} />
      <div className="wide">{open}</div>
    </Button>
  );
}

Widget.defaultProps = { title: "none" };
export default React.memo(Widget);
