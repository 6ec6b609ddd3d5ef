"""Columns of an experiment: arithmetic on the names of a result, as `history[-1].seconds * 1e3`."""
import ast
import math
import operator
import statistics

FUNCTIONS = {"min": min, "max": max, "sum": sum, "len": len, "abs": abs, "round": round, "str": str, "int": int,
             "log2": math.log2, "sqrt": math.sqrt, "ceil": math.ceil, "mean": statistics.fmean, "median": statistics.median}
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
             ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow, ast.Eq: operator.eq,
             ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
             ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b, ast.USub: operator.neg, ast.Not: operator.not_}


class Missing(Exception):
    """A name that this result does not have."""


class BadExpression(Exception):
    """What is no expression at all."""


def parse(text):
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        raise BadExpression(f"'{text}' is no expression") from None


def evaluate(text, scopes):
    """The value of `text`; a name is looked for in each of `scopes`, dictionaries, in turn. What has no value
    (a missing name, a division by 0) raises Missing, what can never have one BadExpression."""
    def lookup(name):
        for scope in scopes:
            if isinstance(scope, dict) and name in scope:
                return scope[name]
        raise Missing(name)

    def value(node):
        match node:
            case ast.Constant(value=constant):
                return constant
            case ast.Name(id=name):
                return lookup(name)
            case ast.Attribute(value=inner, attr=name):
                found = value(inner)
                if not isinstance(found, dict) or name not in found:
                    raise Missing(name)
                return found[name]
            case ast.Subscript(value=inner, slice=index):
                return value(inner)[value(index)]
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [value(item) for item in items]
            case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
                return OPERATORS[type(op)](value(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                return OPERATORS[type(op)](value(left), value(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in OPERATORS:
                return OPERATORS[type(op)](value(left), value(right))
            case ast.BoolOp(op=op, values=parts):
                return (all if isinstance(op, ast.And) else any)(bool(value(part)) for part in parts)
            case ast.IfExp(test=test, body=body, orelse=other):
                return value(body) if value(test) else value(other)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
                return FUNCTIONS[name](*map(value, args))
        raise BadExpression(f"'{text}' has more than arithmetic on names; functions are {', '.join(FUNCTIONS)}")

    try:
        return value(parse(text))
    except (KeyError, IndexError, TypeError, ValueError, ArithmeticError) as error:
        raise Missing(str(error)) from None
