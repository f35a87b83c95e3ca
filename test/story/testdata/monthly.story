# A customer who settles monthly: usage is charged to the month, and paid on the 3rd of the next one.

clock     2027-01-29 22:00
customer  cedar-labs
nocoupons
standing  settlement monthly
start     web
clock     2027-02-01 12:00
charged   web Duration 2027-01 records 50 official 1.015 debt 1.015
expect    cash 10000
clock     2027-02-03 02:59
expect    cash 10000
clock     2027-02-03 03:00
expect    cash 9998.99                  # the half cent was cut off by the close of the month
expect    debt 1.015                    # fifty hours of February, until the 3rd of March
check
