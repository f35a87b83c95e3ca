# A year of a server with its disk and of an address with its bandwidth, all bought on the 31st and renewed by themselves:
# each month ends on its last day, in a leap year on the 29th of February.

clock     2027-01-31 14:20
customer  cedar-labs
nocoupons
order     web 1 s3.small.1.linux 1m disk=100
address   ip 5 1m
pay       web
pay       ip
expect    web amount 15.24 expires 2027-02-28T23:59:59         # 9.74 and 5.5
expect    ip amount 45.6 expires 2027-02-28T23:59:59           # 2.4 and 5 times 8.64
expect    cash 9939.16
autorenew web on
autorenew ip on
clock     2027-02-20 00:00
expect    cash 9939.16
clock     2027-02-21 12:00              # seven days before the end, at 03:00
resource  web status 2 expires 2027-03-31T23:59:59
resource  ip status 2 expires 2027-03-31T23:59:59
expect    cash 9878.32
clock     2027-08-01 12:00              # March to August
resource  web expires 2027-08-31T23:59:59
expect    cash 9574.12
clock     2028-01-16 00:00              # and to January
resource  ip expires 2028-01-31T23:59:59
expect    cash 9269.92
unsubscribe ip as back                  # eleven months, then 360 of 744 hours; a fee of a tenth: 1 and 17.98 remain
expect    back amount 18.98 fee 4.56 consumed 523.66
expect    cash 9288.9
clock     2028-02-05 12:00
resource  ip status 3
resource  web status 2 policy 3 expires 2028-02-29T23:59:59
expect    cash 9273.66
clock     2028-02-23 12:00              # and the 31st comes back
resource  web status 2 policy 3 expires 2028-03-31T23:59:59
expect    cash 9258.42
check
