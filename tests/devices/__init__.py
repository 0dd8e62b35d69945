"""Laws that hold on any accelerator, proven on a pretended one."""
