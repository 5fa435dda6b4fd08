"""Tool calls written as text, for models and servers that know no others.

`render` puts tools, calls and observations into plain messages; `read` finds calls in an answer's
text, in our form and in those that models were trained on; `backend` puts both around any
provider's API and learns from its refusal that they are needed.
"""
